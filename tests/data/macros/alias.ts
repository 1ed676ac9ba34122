const App = Koa.App;
const X = a.b.X;
const { Y, Z: W } = lib;
const { Q } = require('q');
const R = require('r').R;
const S = require('s');
module.exports = X;
exports.X = X;
module.exports.T = T;
const V = a.b.Other;
let m = this.m;
const n = await import('n');
var P = window.P;
const E = require('events').EventEmitter;
const F = (await import('f')).F;
class K { a = b.a; }
export const G = lib.G;
export default class Koa2 {}
