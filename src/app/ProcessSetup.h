// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace dtlsd {

/// Call it before anything else, QCoreApplication included. It calls occupyStandardStreams();
/// forbids core dumps, as keys are in memory (PR_SET_DUMPABLE of prctl(2), which also keeps out
/// debuggers of the same user); raises the limit of descriptors as far as it may; ignores SIGPIPE;
/// sets the locale for messages to C.UTF-8.
void setUpProcess();

} // namespace dtlsd
