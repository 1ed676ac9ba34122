import React, { useState } from 'react';

interface Props { title: string; onClose?: () => void }

export const Panel: React.FC<Props> = ({ title, onClose }) => {
  const [open, setOpen] = useState(false);
  const toggle = () => setOpen(!open);
  return <Frame.Header title={title} onClick={toggle}><Icon name="x" /></Frame.Header>;
};

export function App(): JSX.Element {
  return <Panel title="a" />;
}
