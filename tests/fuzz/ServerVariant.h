// SPDX-License-Identifier: Apache-2.0
//
// The settings that a program chooses among, and who holds which key.
#pragma once

#include "dtls/ServerOptions.h"

#include <QByteArray>

namespace dtlsd::fuzz {

/// Each bit of @p variant changes something. The identity `honest` always has the same key, and no
/// rate. Limits are so small that a program reaches them; one session is the honest one.
ServerSettings settingsOf(int variant);

struct Credential
{
    QByteArray identity;
    PskKey key;
};

Credential honestCredential();
/// One of a few, some of them wrong.
Credential credentialOf(int number);
inline constexpr int credentialCount = 5;

} // namespace dtlsd::fuzz
