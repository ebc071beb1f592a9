// Package content reads what is inside a tag from the registry itself, over the OCI
// distribution protocol: the manifest, the index and the config of a digest become a
// registry.Content. Its nouns are the Reader, the login to a repository, the manifest, the
// chain of transports below, and the Store of what has been read. The protocol is that of
// google/go-containerregistry.
//
// The content of a digest never changes, so it is read once and then found in the store.
//
// A Reader must never send anything but GET, believe bytes that do not have the
// digest it asked for, or read an answer without a bound. The secret key goes to the
// registry, and to the endpoint of tokens that the registry names if that belongs to the
// registry or is the API; the token goes to the registry alone. Redirects, to an object
// storage for example, carry neither. Neither is in an error or a log.
//
// Every request goes through a chain of small RoundTrippers, outermost first:
//
//	login      adds the token, and gets a new one when it is refused
//	guard      allows only GET, and credentials only where they belong
//	retrier    tries again after a fault that may pass
//	pacer      bounds requests in flight and their rate, for each host
//	attempt    one request and its whole answer, bounded, within the request timeout
//	Base       the connection
package content
