// Works for a code: looks for a number with which the SHA-256 of the form's token begins with enough zero bits, so
// that asking for thousands of codes costs a machine something. Without this file the page works, and waits instead.
'use strict';
(() => {
  const form = document.querySelector('form[data-work]');
  if (!form) return;
  const token = form.dataset.work, bits = Number(form.dataset.bits), answer = form.elements.work;

  // SHA-256 (FIPS 180-4); its constants are the first bits of the roots of the first primes.
  const K = [], H = [];
  const part = number => ((number - Math.floor(number)) * 2 ** 32) | 0;
  for (let n = 2; K.length < 64; n++) {
    let prime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) { prime = false; break; }
    if (!prime) continue;
    if (H.length < 8) H.push(part(Math.sqrt(n)));
    K.push(part(Math.cbrt(n)));
  }
  const w = new Int32Array(64);
  const turn = (x, n) => (x >>> n) | (x << (32 - n));
  const block = (state, bytes, from) => {
    for (let i = 0; i < 16; i++) w[i] = (bytes[from + 4 * i] << 24) | (bytes[from + 4 * i + 1] << 16) | (bytes[from + 4 * i + 2] << 8) | bytes[from + 4 * i + 3];
    for (let i = 16; i < 64; i++) {
      const x = w[i - 15], y = w[i - 2];
      w[i] = (w[i - 16] + (turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)) + w[i - 7] + (turn(y, 17) ^ turn(y, 19) ^ (y >>> 10))) | 0;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i++) {
      const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
      const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + one) | 0; d = c; c = b; b = a; a = (one + two) | 0;
    }
    return [state[0] + a, state[1] + b, state[2] + c, state[3] + d, state[4] + e, state[5] + f, state[6] + g, state[7] + h].map(x => x | 0);
  };
  // The message is the token, a colon and the number: two blocks, of which the first is always the same.
  const head = new TextEncoder().encode(token + ':');
  const bytes = new Uint8Array(128);
  bytes.set(head);
  const first = block(H, bytes, 0);
  const zeros = number => {
    const digits = String(number);
    for (let i = 0; i < digits.length; i++) bytes[head.length + i] = digits.charCodeAt(i);
    const end = head.length + digits.length;
    bytes[end] = 0x80;
    bytes.fill(0, end + 1, 126);
    bytes[126] = (end * 8) >>> 8;
    bytes[127] = (end * 8) & 255;
    return Math.clz32(block(first, bytes, 64)[0]);
  };

  let number = 0, sending = false;
  const work = () => {
    for (const until = performance.now() + 12; performance.now() < until;) {
      for (let i = 0; i < 64; i++, number++) {
        if (zeros(number) < bits) continue;
        answer.value = String(number);
        if (sending) form.requestSubmit();
        return;
      }
    }
    setTimeout(work);
  };
  // Before the other script, which lets a form be sent once.
  form.addEventListener('submit', event => {
    if (answer.value) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    sending = true;
    form.querySelector('button').setAttribute('aria-disabled', 'true');
  });
  work();
})();
