import './tasks.css';
import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect, useState } from 'react';
import { GROUPS, LINKS } from './tasks.js';

/** The plugin of GraphiQL that shows the ready operations beside the editor. */
export const TASKS = { title: 'Tasks', icon: Icon, content: Tasks };

function Tasks() {
  const { addTab, changeTab } = useGraphiQLActions();
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);
  const tabs = useGraphiQL((state) => state.tabs);
  const activeTabIndex = useGraphiQL((state) => state.activeTabIndex);
  const links = useLinks();

  // A tab that has the operation already, with what was typed in it, is shown again.
  function open({ query, variables }) {
    const name = operationName(query);
    const index = tabs.findIndex((tab) => operationName(tab.query) === name);
    if (index === activeTabIndex) return;
    if (index >= 0) {
      changeTab(index);
      return;
    }
    addTab();
    queryEditor.setValue(query);
    variableEditor.setValue(variables ?? '');
    queryEditor.focus();
  }

  const current = operationName(tabs[activeTabIndex]?.query);
  return (
    <nav className="tasks" aria-label="Tasks">
      <h2>Tasks</h2>
      {GROUPS.map((group) => (
        <section key={group.title} aria-label={group.title}>
          <h3>{group.title}</h3>
          <ul>
            {group.tasks.map((task) => (
              <li key={task.title}>
                <button type="button" onClick={() => open(task)} aria-current={operationName(task.query) === current}
                  title={task.changes ? 'Fill in the variables, then run it' : undefined}>
                  <span>{task.title}</span>
                  {task.changes && <Pencil />}
                </button>
              </li>
            ))}
          </ul>
        </section>
      ))}
      {links.length > 0 && (
        <section aria-label="Server">
          <h3>Server</h3>
          <ul>
            {links.map(({ path, title }) => (
              <li key={path}>
                <a href={path} target="_blank" rel="noreferrer">
                  <span>{title}</span>
                  <Arrow />
                </a>
              </li>
            ))}
          </ul>
        </section>
      )}
    </nav>
  );
}

/** The pages that the server says it has. */
function useLinks() {
  const [links, setLinks] = useState([]);
  useEffect(() => {
    const leaving = new AbortController();
    const load = async () => {
      const response = await fetch('/', { headers: { accept: 'application/json' }, signal: leaving.signal });
      const { places } = await response.json();
      const paths = places.map(({ url }) => new URL(url).pathname);
      setLinks(Object.entries(LINKS).filter(([path]) => paths.includes(path)).map(([path, title]) => ({ path, title })));
    };
    load().catch(() => {}); // The console works without them.
    return () => leaving.abort();
  }, []);
  return links;
}

function operationName(query) {
  return query?.match(/^\s*(?:query|mutation|subscription)\s+(\w+)/m)?.[1];
}

function Icon() {
  return (
    <svg viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.4" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      <path d="m1.8 3.9 1.2 1.2 2-2.4M1.8 11.4 3 12.6l2-2.4M8 4h6.2M8 11.5h6.2" />
    </svg>
  );
}

function Pencil() {
  return (
    <svg className="hint" viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.3" strokeLinejoin="round" aria-label="changes something" role="img">
      <path d="m3 13 .6-2.6 7.2-7.2 2 2-7.2 7.2z" />
    </svg>
  );
}

function Arrow() {
  return (
    <svg className="hint" viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.3" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      <path d="M5 11 11 5M6.2 5H11v4.8" />
    </svg>
  );
}
