import { lazy, Suspense, useCallback, useEffect, useRef, useState } from 'react';
import { Mark } from './Mark.jsx';
import { SignIn } from './SignIn.jsx';
import { dueIn, fresh, keptSession, onChange, SessionOver, signOut } from './session.js';

// GraphiQL and its editor are large: the form shows first, and they load while somebody types.
const loadWorkbench = () => import('./Workbench.jsx');
const Workbench = lazy(loadWorkbench);

const RETRY_MS = 15_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export function App() {
  const [session, setSession] = useState(keptSession);
  const [locked, setLocked] = useState(session === null);
  const [notice, setNotice] = useState(null);
  const [failure, setFailure] = useState(null);
  const [round, setRound] = useState(0);
  const focusBefore = useRef(null);

  /** Locks the console but keeps GraphiQL mounted below the form, with what was typed and answered. */
  const end = useCallback((reason) => {
    const focused = document.activeElement;
    if (focused?.closest('.console')) focusBefore.current = focused;
    setNotice(reason.message);
    setLocked(true);
  }, []);

  // A reload, not an unmount: it leaves no answers in memory for whoever comes next, and Monaco 0.52 throws
  // "Canceled" when an editor goes while its highlighter is waiting (microsoft/monaco-editor#4702).
  const enter = useCallback((next) => {
    if (session && session.user.id !== next.user.id) {
      location.reload();
      return;
    }
    setSession(next);
    setNotice(null);
    setFailure(null);
    setLocked(false);
    if (locked) setRound((before) => before + 1);
  }, [session, locked]);

  useEffect(() => {
    loadWorkbench();
  }, []);

  // Refreshes before the access token ends, and when the computer wakes up after that.
  useEffect(() => {
    if (locked) return undefined;
    let timer;
    const schedule = (wait) => {
      clearTimeout(timer);
      timer = setTimeout(renew, Math.min(Math.max(wait, 0), LONGEST_TIMER_MS));
    };
    const renew = async () => {
      try {
        const next = await fresh();
        schedule(Math.max(dueIn(next), 1_000));
      } catch (error) {
        if (error instanceof SessionOver) end(error);
        else schedule(RETRY_MS);
      }
    };
    const look = () => document.visibilityState === 'visible' && renew();
    schedule(dueIn(session));
    document.addEventListener('visibilitychange', look);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, [session, locked, end]);

  // What another tab does counts here, too.
  useEffect(() => onChange((next) => {
    if (next) enter(next);
    else location.reload();
  }), [enter]);

  useEffect(() => {
    if (!locked) focusBefore.current?.focus();
  }, [locked]);

  async function leave() {
    setFailure(null);
    try {
      await signOut();
      location.reload();
    } catch (error) {
      setFailure(`You are still signed in. ${error.message}`);
    }
  }

  return (
    <>
      {session && (
        <div className="console" data-locked={locked} inert={locked}>
          <header className="bar">
            <Mark size={22} />
            <h1>Lyceum console</h1>
            <p className="bar-failure" role="alert">{failure}</p>
            <span className="bar-user">{session.user.name}</span>
            <button type="button" className="bar-button" onClick={leave}>
              Sign out
            </button>
          </header>
          <main>
            <Suspense fallback={<p className="loading" role="status">Loading the editor…</p>}>
              <Workbench round={round} locked={locked} onEnd={end} />
            </Suspense>
          </main>
        </div>
      )}
      {locked && <SignIn notice={notice} email={session?.email ?? ''} onEnter={enter} />}
    </>
  );
}
