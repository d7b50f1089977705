/** The exporter serves the package itself as page/uplot.js. */
export { default } from 'uplot';
