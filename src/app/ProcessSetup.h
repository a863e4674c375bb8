// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace dtlsd {

/// What has to hold before anything else, QCoreApplication included: descriptors 0 to 2 are taken,
/// by /dev/null where they are closed, so that no socket gets the number of standard output; no
/// core dumps, as keys are in memory (debuggers of the same user cannot attach either, prctl(2),
/// PR_SET_DUMPABLE); no death by a broken pipe; messages in English and UTF-8. Throws
/// std::system_error without a /dev/null.
void setUpProcess();

} // namespace dtlsd
