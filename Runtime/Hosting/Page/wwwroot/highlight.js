// Colours for code: comments, strings, numbers, common words. One pass by one expression, no grammar of any language.
import { h } from './dom.js';

const mostLength = 30000;

const words = new Set(('abstract and as assert async await base bool boolean break byte case catch char class const continue def default defer del ' +
  'delegate do double elif else end enum except export extends extern false False final finally float fn for foreach from func function global go ' +
  'goto if impl implements import in init int interface internal is lambda let lock long loop match mod module mut namespace native new nil None ' +
  'not null nullptr of operator or out override package params pass private protected pub public raise readonly record ref return sealed select ' +
  'self short static string struct super switch template then this throw trait true True try type typedef typeof union unless unsafe use using ' +
  'var virtual void volatile when where while with yield SELECT FROM WHERE INSERT UPDATE DELETE CREATE TABLE JOIN ON AS AND OR NOT NULL GROUP BY ' +
  'ORDER LIMIT INTO VALUES SET').split(' '));

const hash = new Set(('python py sh bash shell zsh yaml yml toml ruby rb r perl make makefile dockerfile nix elixir powershell ps1 ini ' +
  'conf').split(' '));
const dashes = new Set('sql lua haskell hs'.split(' '));
const plain = new Set(['', 'text', 'txt', 'plaintext', 'markdown', 'md', 'output', 'console']);

const strings = String.raw`"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|` + '`(?:\\\\.|[^`\\\\])*`';
const numbers = String.raw`\b(?:0[xX][\da-fA-F_]+|\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)`;
const names = String.raw`[A-Za-z_][\w]*`;

function patternOf(language) {
  const comment = hash.has(language) ? '#[^\\n]*' : dashes.has(language) ? '--[^\\n]*'
    : String.raw`//[^\n]*|/\*[^]*?(?:\*/|$)|<!--[^]*?(?:-->|$)`;
  return new RegExp(`(${comment})|(${strings})|(${numbers})|(${names})`, 'g');
}

/** The code as nodes. */
export function highlight(text, language) {
  const name = language.toLowerCase();
  if (plain.has(name) || text.length > mostLength) return [text];
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(patternOf(name))) {
    const isCall = text[match.index + match[0].length] === '(';
    const kind = match[1] ? 'comment' : match[2] ? 'string' : match[3] ? 'number' : words.has(match[4]) ? 'word' : isCall ? 'call' : null;
    if (kind === null) continue;
    if (match.index > end) nodes.push(text.slice(end, match.index));
    nodes.push(h('span', { class: `code-${kind}`, text: match[0] }));
    end = match.index + match[0].length;
  }
  nodes.push(text.slice(end));
  return nodes;
}
