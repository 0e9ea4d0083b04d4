import '@fontsource-variable/figtree/index.css';
import './styles/mantine.css';
import './styles/base.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app/App.tsx';

const root = document.getElementById('root');
if (root === null) throw new Error('Expected an element with the id root in index.html');
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
