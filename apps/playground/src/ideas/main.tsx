import '../styles/base.css';
import '../styles/app.css';
import '../styles/inside.css';
import '../styles/ideas.css';
import { render } from 'preact';
import { Ideas } from './ideas.tsx';

const root = document.querySelector('#app');
if (root === null) throw new Error('the page has no #app');
render(<Ideas />, root);
