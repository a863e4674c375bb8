// SPDX-License-Identifier: Apache-2.0
#include "events/Reasons.h"

namespace dtlsd {

Reason reasonFor(CloseReason reason)
{
    switch (reason) {
    case CloseReason::CloseNotify:
        return {"close-notify", "the device closed it"};
    case CloseReason::Alert:
        return {"alert", "the device ended it with an alert"};
    case CloseReason::Idle:
        return {"idle", "idle for too long"};
    case CloseReason::Replaced:
        return {"replaced", "the device has begun a new one"};
    case CloseReason::Revoked:
        return {"revoked", "the configuration no longer admits it"};
    case CloseReason::Lifetime:
        return {"lifetime", "it was open for session_lifetime"};
    case CloseReason::Evicted:
        return {"evicted", "its identity had the most sessions when a limit was reached"};
    case CloseReason::Shutdown:
        return {"shutdown", "dtlsd no longer serves it there"};
    case CloseReason::Operator:
        return {"operator", "closed by the operator"};
    case CloseReason::KeyUsage:
        return {"key-usage", "its keys were used as often as they may be"};
    case CloseReason::Error:
        break;
    }
    return {"error", "the device broke the protocol"};
}

Reason reasonFor(HandshakeFailure failure)
{
    switch (failure) {
    case HandshakeFailure::Timeout:
        return {"timeout", "the peer fell silent; if devices often do, try a smaller [tls] mtu"};
    case HandshakeFailure::WrongKeyOrLoss:
        return {"wrong-key-or-loss",
                "the key on the device is not ours, or datagrams were lost; compare the device's "
                "key with dtlsd --show-config"};
    case HandshakeFailure::UnknownIdentity:
        return {"unknown-identity",
                "no such identity is configured; if the device is yours, add it"};
    case HandshakeFailure::AddressNotAllowed:
        return {"address-not-allowed",
                "allow_from does not admit this address; if the device has moved, extend it"};
    case HandshakeFailure::NoSharedCipher:
        return {"no-shared-cipher", "the peer offers no cipher suite of [tls] ciphers"};
    case HandshakeFailure::NoSharedGroup:
        return {"no-shared-group",
                "the peer offers an ECDHE suite, but neither X25519 nor P-256 (secp256r1) for it; "
                "enable one of them, or a suite without ECDHE, on the device"};
    case HandshakeFailure::ProtocolVersion:
        return {"protocol-version",
                "the peer does not speak DTLS 1.2; if the device is yours, update it"};
    case HandshakeFailure::Alert:
        return {"alert", "the peer fell silent after a fatal alert, which came in clear and proves "
                         "nothing"};
    case HandshakeFailure::Limit:
        return {"limit", "its network had the most unfinished handshakes at max_half_open; if "
                         "the devices are yours, raise it"};
    case HandshakeFailure::Error:
        break;
    }
    return {"error", "the peer broke the protocol or gave up; its own log may say why"};
}

Reason reasonFor(ForwardDrop drop)
{
    switch (drop) {
    case ForwardDrop::NotLogged:
        return {"not-logged", "the log has not kept it"};
    case ForwardDrop::Refused:
        return {"refused", "nobody listens there"};
    case ForwardDrop::NoSource:
        return {"no-source", "no socket can be made for the session"};
    case ForwardDrop::AnswerQueue:
        return {"answer-queue-full", "the service answers faster than dtlsd reads"};
    case ForwardDrop::Error:
        break;
    }
    return {"error", "the kernel has not taken it"};
}

} // namespace dtlsd
