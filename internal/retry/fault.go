package retry

import (
	"crypto/tls"
	"errors"
	"net"
)

// ConnectionMayPass reports whether a request that got no answer may get one if it is sent
// again: not if the certificate of the host is not valid, or its name does not exist.
func ConnectionMayPass(err error) bool {
	var certificate *tls.CertificateVerificationError
	var name *net.DNSError
	switch {
	case errors.As(err, &certificate):
		return false
	case errors.As(err, &name):
		return !name.IsNotFound
	}
	return true
}
