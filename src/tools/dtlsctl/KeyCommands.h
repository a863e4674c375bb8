// SPDX-License-Identifier: Apache-2.0
//
// dtlsctl key new and dtlsctl key import. No key is ever an argument: those are there for every
// user of the machine to read.
#pragma once

#include "tools/dtlsctl/Failure.h"
#include "tools/dtlsctl/KeyImport.h"

#include <QByteArray>

#include <optional>

namespace dtlsd {

/// std::runtime_error if there is no randomness.
[[nodiscard]] std::optional<Failure> printNewKey(const QByteArray &name);

/// @p file: `-` is standard input. Prints all of its keys or, when anything is wrong, none.
[[nodiscard]] std::optional<Failure> printImportedKeys(KeyFormat format, const QByteArray &file);

} // namespace dtlsd
