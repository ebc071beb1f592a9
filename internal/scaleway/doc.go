// Package scaleway reads and edits a Scaleway Container Registry through the
// official SDK. It finds credentials as every Scaleway tool does, proves that every
// listing is complete, and translates answers into the nouns and errors of package
// registry. Its nouns are the Reader, the Editor, the listing with its pages, and the
// chain of transports below.
//
// It is the only package that imports the SDK. A Reader must never send anything but
// GET. An Editor must never send anything but GET and its five changes, each of them
// once and none by force. Neither may send the secret key to another host than the
// API, show it in an error or a log, write to standard output, or return a shorter
// list for a listing that failed or came back short.
//
// Every request of a Reader goes through a chain of small RoundTrippers, outermost
// first:
//
//	guard      allows only GET, and only to the API host
//	retrier    tries again after a fault that may pass
//	pacer      bounds requests in flight and their rate, for each host
//	attempt    one request and its whole answer, within the request timeout; reads
//	           the rows of a listing (see readPage)
//	(observer) the middleware of Options, such as metrics
//	Base       the connection
//
// So do the reads of an Editor. The guard of its changes allows only those, and they
// do not go through the retrier.
package scaleway
