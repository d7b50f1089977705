// Asks for a URL: exits with 0 if the answer is 200. Arguments: the URL, and the folders of a Secret with
// username and password and of one with tls.crt and tls.key, each of which may be empty.
const { readFileSync } = require('node:fs');
const [, url, login, certificate] = process.argv;
const read = (folder, key) => (folder ? readFileSync(`${folder}/${key}`, 'utf8') : undefined);
const { get } = require(url.startsWith('https:') ? 'node:https' : 'node:http');
const options = {
  auth: login && `${read(login, 'username')}:${read(login, 'password')}`,
  cert: read(certificate, 'tls.crt'),
  key: read(certificate, 'tls.key'),
  // As the kubelet does. The certificate is that of another name than this one.
  rejectUnauthorized: false,
  timeout: 2_000,
};
const request = get(url, options, (response) => {
  response.pipe(process.stdout);
  response.on('end', () => process.exit(response.statusCode === 200 ? 0 : 1));
});
request.on('timeout', () => request.destroy(new Error('no answer within 2 s')));
request.on('error', (error) => {
  console.error(error.message);
  process.exit(1);
});
