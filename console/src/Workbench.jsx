// Bundles Monaco's web workers with the page; without this import they would come from a CDN or not at all.
import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import './workbench.css';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect, useMemo } from 'react';
import { createTransport } from './fetcher.js';
import { TASKS } from './Tasks.jsx';
import { CATALOG, NEW_VIDEOS } from './tasks.js';

const EXAMPLES = [{ query: CATALOG }, { query: NEW_VIDEOS }];
const PLUGINS = [HISTORY_PLUGIN, TASKS];

export default function Workbench({ round, locked, onEnd }) {
  // Whoever signs in again gets a new fetcher, upon which GraphiQL reads the schema again.
  const transport = useMemo(() => createTransport(onEnd), [round, onEnd]);
  useEffect(() => {
    if (locked) transport.close();
    return transport.close;
  }, [transport, locked]);
  return (
    <GraphiQL fetcher={transport.fetcher} defaultQuery={CATALOG} defaultTabs={EXAMPLES} plugins={PLUGINS}
      visiblePlugin={TASKS} defaultEditorToolsVisibility="variables">
      <FollowSystemTheme />
    </GraphiQL>
  );
}

/** GraphiQL asks for the system's theme once; when that changes, its editors would keep the old colours. */
function FollowSystemTheme() {
  const { setTheme } = useGraphiQLActions();
  const chosen = useGraphiQL((state) => state.theme);
  useEffect(() => {
    if (chosen) return undefined;
    const system = matchMedia('(prefers-color-scheme: dark)');
    const follow = () => setTheme(null);
    system.addEventListener('change', follow);
    return () => system.removeEventListener('change', follow);
  }, [chosen, setTheme]);
  return null;
}
