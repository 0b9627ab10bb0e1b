import { useEffect, useRef, useState } from 'react';
import { Mark } from './Mark.jsx';
import { completeSignIn, signIn } from './session.js';

export function SignIn({ notice, email, onEnter }) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState(null);
  const emailInput = useRef(null);
  const passwordInput = useRef(null);
  const codeInput = useRef(null);
  // Asks for the second factor, when there is one.
  const [challenge, setChallenge] = useState(null);

  useEffect(() => {
    (email ? passwordInput : emailInput).current.focus();
  }, [email]);

  useEffect(() => {
    if (challenge) codeInput.current.focus();
  }, [challenge]);

  // Most failures are mistyped passwords or codes, so that field is selected unless the server named the other.
  useEffect(() => {
    if (failure) (codeInput.current ?? (failure.field === 'email' ? emailInput : passwordInput).current).select();
  }, [failure]);

  async function submit(event) {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setFailure(null);
    const address = emailInput.current.value.trim();
    try {
      const entered = challenge
        ? await completeSignIn(address, challenge, codeInput.current.value.trim())
        : await signIn(address, passwordInput.current.value);
      if (entered.challenge) {
        setChallenge(entered.challenge);
        setBusy(false);
      } else {
        onEnter(entered);
      }
    } catch (error) {
      // It was answered too late or too often: from the beginning.
      if (error.field === 'challenge') setChallenge(null);
      setFailure(error);
      setBusy(false);
    }
  }

  const invalid = (field) => ({
    'aria-invalid': failure?.field === field,
    'aria-describedby': failure ? 'sign-in-failure' : undefined,
  });

  return (
    <div className="gate">
      <form className="card" onSubmit={submit} aria-labelledby="sign-in-title" aria-busy={busy}>
        <Mark size={44} />
        <h1 id="sign-in-title">Lyceum console</h1>
        <p className="lead">Sign in with an administrator’s account.</p>
        {notice && (
          <p className="notice" role="status">
            {notice}
          </p>
        )}
        <label htmlFor="email">E-mail</label>
        <input id="email" name="email" type="email" autoComplete="username" required readOnly={challenge !== null}
          spellCheck={false} defaultValue={email} ref={emailInput} {...invalid('email')} />
        {challenge === null ? (
          <>
            <label htmlFor="password">Password</label>
            <input id="password" name="password" type="password" autoComplete="current-password" required
              ref={passwordInput} {...invalid('password')} />
          </>
        ) : (
          <>
            <label htmlFor="code">Code of your authenticator app, or a recovery code</label>
            <input id="code" name="code" autoComplete="one-time-code" required spellCheck={false}
              ref={codeInput} {...invalid('code')} />
          </>
        )}
        {/* Always there, so that screen readers announce what appears in it. */}
        <p className="failure" id="sign-in-failure" role="alert">
          {failure?.message}
        </p>
        <button type="submit" aria-disabled={busy}>
          {busy ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
    </div>
  );
}
