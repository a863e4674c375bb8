// SPDX-License-Identifier: Apache-2.0
//
// KeyFolder: a ConfigFolder for configurations that name a key or a file with keys.
#pragma once

#include "support/ConfigFolder.h"
#include "support/TestKey.h"

namespace dtlsd::test {

class KeyFolder : public ConfigFolder
{
public:
    /// Writes and reads a configuration in which identity `a` has @p key, in line 4.
    [[nodiscard]] ConfigResult loadKey(const QByteArray &key, const QString &credentials = {}) const
    {
        return load("[psk]\nfile =\n[identity a]\nkey = " + key + '\n', credentials);
    }

    [[nodiscard]] QStringList errorsOf(const ConfigResult &result) const
    {
        return texts(result.errors);
    }
};

} // namespace dtlsd::test
