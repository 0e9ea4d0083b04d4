/*
 * CloudFront Function for viewer requests to items/* and profiles/*, runtime cloudfront-js-2.0. It does what the local edge
 * does before it looks for an object:
 * - `.auto` of a rendition becomes `.webp` where Accept names image/webp with a quality above 0, else `.jpg`, so that there
 *   is one cached object a format;
 * - each object has one spelling, so that a purge of it forgets it; what would be another path once decoded is refused;
 * - paths that our service answers (the alias of a profile photo, `.auto` of an original) keep their name and get an Accept
 *   of two values, which fits into the cache key.
 */
function acceptsWebp(accept) {
  var ranges = accept.toLowerCase().split(',');
  for (var i = 0; i < ranges.length; i++) {
    var range = ranges[i].trim();
    if (range.split(';')[0].trim() === 'image/webp') return !/;\s*q=0(\.0{1,3})?\s*($|;)/.test(range);
  }
  return false;
}

function decoded(uri) {
  try {
    return decodeURIComponent(uri);
  } catch (_) {
    return '\0';
  }
}

function handler(event) {
  var request = event.request;
  var path = decoded(request.uri);
  if (path.indexOf('\0') !== -1) return { statusCode: 400, statusDescription: 'Bad Request' };
  if (/%2f|%5c/i.test(request.uri) || /\/\.{0,2}(\/|$)|\\/.test(path))
    return { statusCode: 404, statusDescription: 'Not Found' };

  var header = request.headers.accept;
  var values = header === undefined ? [] : header.multiValue || [header];
  var accept = values
    .map(function (one) {
      return one.value;
    })
    .join(',');
  var webp = acceptsWebp(accept);
  if (/^\/(items|profiles)\/(large|medium|thumbnail)\/.+\.auto$/.test(path))
    path = path.slice(0, -'auto'.length) + (webp ? 'webp' : 'jpg');
  request.uri = encodeURI(path);
  request.headers.accept = { value: webp ? 'image/webp' : 'image/jpeg' };
  return request;
}
