import './following.test';
