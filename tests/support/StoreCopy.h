// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/Descriptor.h"
#include "dtls/store/SessionStore.h"

#include <QByteArray>

namespace dtlsd::test {

/// The bytes of a memfd.
QByteArray bytesOf(int memfd);
/// A memfd of @p bytes, whose size is sealed, as stores are, unless @p seals say otherwise.
Descriptor memfdOf(const QByteArray &bytes, unsigned seals);
Descriptor memfdOf(const QByteArray &bytes);
/// @p store as it is now, as if its process was killed.
inline Descriptor copyOf(const SessionStore &store)
{
    return memfdOf(bytesOf(store.descriptor()));
}

} // namespace dtlsd::test
