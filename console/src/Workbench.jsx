// Bundles Monaco's web workers with the page; without this import they would come from a CDN or not at all.
import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import './workbench.css';
import { GraphiQL } from 'graphiql';
import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect, useMemo } from 'react';
import { createTransport } from './fetcher.js';

const CATALOG = `# Ctrl-Enter runs, Ctrl-Space completes.
# The book on the left holds the schema.
query Catalog {
  courses(first: 5) {
    totalCount
    nodes {
      title
      slug
      lessonCount
      instructor {
        name
      }
    }
  }
}
`;

const NEW_VIDEOS = `# Runs until you stop it: first its start, then
# each video when its lesson is published.
subscription NewVideos {
  newVideo {
    cursor
    isStart
    lesson {
      title
    }
    course {
      title
    }
  }
}
`;

const EXAMPLES = [{ query: CATALOG }, { query: NEW_VIDEOS }];

export default function Workbench({ round, locked, onEnd }) {
  // Whoever signs in again gets a new fetcher, upon which GraphiQL reads the schema again.
  const transport = useMemo(() => createTransport(onEnd), [round, onEnd]);
  useEffect(() => {
    if (locked) transport.close();
    return transport.close;
  }, [transport, locked]);
  return (
    <GraphiQL fetcher={transport.fetcher} defaultQuery={CATALOG} defaultTabs={EXAMPLES}>
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
