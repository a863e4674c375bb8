// SPDX-License-Identifier: Apache-2.0
//
// Standard input, in place of an argument that is `-`.
#pragma once

#include "core/Result.h"

#include <QByteArray>

namespace dtlsd {

/// All of standard input, byte for byte, but no more than @p limit bytes of it.
[[nodiscard]] Result<QByteArray> readStandardInput(qint64 limit);

} // namespace dtlsd
