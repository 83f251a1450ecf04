// Small comforts. Every page works without this file: it only saves typing and double taps.
'use strict';
(() => {
  const find = (what, where = document) => where.querySelector(what);
  const make = (tag, set = {}) => Object.assign(document.createElement(tag), set);
  // Vietnamese letters without their marks; đ does not decompose and is mapped by hand.
  const fold = text => text.normalize('NFD').replace(/[\u0300-\u036f]/g, '').replace(/[đĐ]/g, 'd').toLowerCase().replace(/\s+/g, ' ').trim();

  // A failed form says so first.
  const errors = find('#errors');
  if (errors) errors.focus();

  // One tap is one request. The page may come back from the browser's memory, so the guard opens again.
  for (const form of document.forms) {
    if (form.method !== 'post') continue;
    const buttons = form.querySelectorAll('button');
    form.addEventListener('submit', event => {
      if (form.dataset.sent) { event.preventDefault(); return; }
      form.dataset.sent = '1';
      buttons.forEach(button => button.setAttribute('aria-disabled', 'true'));
      setTimeout(open, 10000);
    });
    const open = () => {
      delete form.dataset.sent;
      buttons.forEach(button => button.removeAttribute('aria-disabled'));
    };
    addEventListener('pageshow', open);
  }

  // The clock of the result card runs by the server's time, so a screenshot gives itself away.
  const clock = find('[data-clock]');
  if (clock) {
    const start = Number(clock.dataset.clock), shown = performance.now();
    const format = new Intl.DateTimeFormat('vi-VN', { timeZone: 'Asia/Ho_Chi_Minh', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
    setInterval(() => { clock.textContent = format.format(start + performance.now() - shown); }, 250);
  }

  // Countries that stand there by code get their names from the browser.
  const others = find('[data-nations]');
  if (others && Intl.DisplayNames) {
    const names = new Intl.DisplayNames([document.documentElement.lang], { type: 'region' });
    for (const option of others.children) {
      const code = option.text.trim();
      option.value = code;
      option.text = names.of(code);
    }
  }

  // The list of wards narrows as one types, with or without accents.
  const combo = find('[data-wards]'), province = find('#province');
  if (!combo || !province) return;
  const input = find('input', combo);
  const list = make('ul', { id: 'ward-list', className: 'list', hidden: true });
  list.setAttribute('role', 'listbox');
  list.setAttribute('aria-label', find('label', combo).textContent);
  combo.append(list);
  const code = make('input', { type: 'hidden', name: 'ward_code' });
  combo.append(code);
  for (const [name, value] of Object.entries({ role: 'combobox', 'aria-expanded': 'false', 'aria-controls': list.id, 'aria-autocomplete': 'list' })) input.setAttribute(name, value);
  let wards = [], at = -1;

  const close = () => {
    list.hidden = true;
    at = -1;
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  };
  const choose = ward => {
    input.value = ward.name;
    code.value = ward.code;
    close();
  };
  const show = () => {
    const query = fold(input.value);
    const hits = wards.filter(ward => (' ' + ward.key).includes(' ' + query) || ward.bare.startsWith(query)).slice(0, 60);
    list.replaceChildren(...hits.map((ward, index) => {
      const item = make('li', { id: 'ward-' + index, textContent: ward.name });
      item.setAttribute('role', 'option');
      // Before the field loses focus, or the list would be gone.
      item.addEventListener('pointerdown', event => { event.preventDefault(); choose(ward); });
      item.ward = ward;
      return item;
    }));
    at = -1;
    input.removeAttribute('aria-activedescendant');
    list.hidden = !hits.length;
    input.setAttribute('aria-expanded', String(!list.hidden));
  };
  const move = step => {
    const items = [...list.children];
    if (list.hidden || !items.length) { show(); return; }
    items[at]?.removeAttribute('aria-selected');
    at = (at + step + items.length) % items.length;
    items[at].setAttribute('aria-selected', 'true');
    items[at].scrollIntoView({ block: 'nearest' });
    input.setAttribute('aria-activedescendant', items[at].id);
  };
  const load = async () => {
    wards = [];
    const wanted = province.value;
    if (!wanted) return;
    try {
      const answer = await fetch('/api/v1/regions/' + encodeURIComponent(wanted) + '/wards?limit=500');
      if (!answer.ok || wanted !== province.value) return;
      const { items } = await answer.json();
      wards = items.map(({ code, name }) => {
        const key = fold(name);
        return { code, name, key, bare: key.replace(/^(phuong|xa|dac khu|thi tran) /, '') };
      });
    } catch { /* The field stays a plain one; the server resolves what was typed. */ }
  };
  province.addEventListener('change', () => { code.value = ''; input.value = ''; load(); });
  input.addEventListener('input', () => { code.value = ''; show(); });
  input.addEventListener('focus', () => { if (wards.length) show(); });
  input.addEventListener('blur', close);
  input.addEventListener('keydown', event => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') { event.preventDefault(); move(event.key === 'ArrowDown' ? 1 : -1); }
    else if (event.key === 'Enter' && at >= 0) { event.preventDefault(); choose(list.children[at].ward); }
    else if (event.key === 'Escape') close();
  });
  load();
})();
