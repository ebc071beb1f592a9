// Package credentials finds the API key and the address of the API as every Scaleway tool
// does: the environment over a profile of the SDK's config file. A Redactor hides the key in
// what others write.
//
// It must never quote a key in an error, or print a warning to standard output.
package credentials
