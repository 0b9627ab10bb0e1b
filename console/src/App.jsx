import { lazy, Suspense, useCallback, useEffect, useRef, useState } from 'react';
import { Mark } from './Mark.jsx';
import { SignIn } from './SignIn.jsx';
import { forgetSession, hasEnded, keptSession } from './session.js';

// GraphiQL and its editor are large: the form shows first, and they load while somebody types.
const loadWorkbench = () => import('./Workbench.jsx');
const Workbench = lazy(loadWorkbench);

const LONGEST_TIMER_MS = 2 ** 31 - 1;
const ENDED = 'Your session has ended, please sign in again.';

export function App() {
  const [session, setSession] = useState(keptSession);
  const [locked, setLocked] = useState(() => session === null || hasEnded(session));
  const [notice, setNotice] = useState(() => (session && locked ? ENDED : null));
  const focusBefore = useRef(null);

  /** Locks the console but keeps GraphiQL mounted below the form, with what was typed and answered. */
  const end = useCallback((token) => {
    // A late answer to an older token must not end the session that followed it.
    if (keptSession()?.token !== token) return;
    forgetSession();
    focusBefore.current = document.activeElement;
    setNotice(ENDED);
    setLocked(true);
  }, []);

  useEffect(() => {
    loadWorkbench();
  }, []);

  useEffect(() => {
    if (locked) return undefined;
    const left = Math.min(session.endsAt - Date.now(), LONGEST_TIMER_MS);
    const timer = setTimeout(() => hasEnded(session) && end(session.token), left + 1);
    return () => clearTimeout(timer);
  }, [session, locked, end]);

  useEffect(() => {
    if (!locked) focusBefore.current?.focus();
  }, [locked]);

  // A reload, not an unmount: it leaves no answers in memory for whoever comes next, and Monaco 0.52 throws
  // "Canceled" when an editor goes while its highlighter is waiting (microsoft/monaco-editor#4702).
  function enter(next) {
    if (session && session.user.id !== next.user.id) {
      location.reload();
      return;
    }
    setSession(next);
    setNotice(null);
    setLocked(false);
  }

  function signOut() {
    forgetSession();
    location.reload();
  }

  return (
    <>
      {session && (
        <div className="console" data-locked={locked} inert={locked}>
          <header className="bar">
            <Mark size={22} />
            <h1>Lyceum console</h1>
            <span className="bar-user">{session.user.name}</span>
            <button type="button" className="bar-button" onClick={signOut}>
              Sign out
            </button>
          </header>
          <main>
            <Suspense fallback={<p className="loading" role="status">Loading the editor…</p>}>
              <Workbench token={session.token} locked={locked} onEnd={end} />
            </Suspense>
          </main>
        </div>
      )}
      {locked && <SignIn notice={notice} email={session?.email ?? ''} onEnter={enter} />}
    </>
  );
}
