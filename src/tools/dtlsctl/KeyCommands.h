// SPDX-License-Identifier: Apache-2.0
//
// dtlsctl key new and dtlsctl key import. No key is ever an argument: every user of the machine can
// read arguments.
#pragma once

#include "tools/dtlsctl/Failure.h"
#include "tools/dtlsctl/KeyImport.h"

#include <QByteArray>

#include <optional>

namespace dtlsd {

/// Throws std::runtime_error if there are no random numbers.
[[nodiscard]] std::optional<Failure> printNewKey(const QByteArray &name);

/// Prints all keys of @p file (`-` is standard input) or, after any error, none.
[[nodiscard]] std::optional<Failure> printImportedKeys(KeyFormat format, const QByteArray &file);

} // namespace dtlsd
