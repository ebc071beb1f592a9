// Package listing answers the lists of the emulated API: a [List] keeps rows in order, a
// [Query] is what a request asks for, and [Page] answers with a part of the rows, which a
// fault may spoil.
//
// It must never know what a row is, or change one.
package listing
