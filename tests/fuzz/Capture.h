// SPDX-License-Identifier: Apache-2.0
//
// Capture: takes what a program linked with --wrap=isatty, ioctl, write and fwrite writes to
// standard output and error while it exists, and makes of standard output what it is told.
#pragma once

#include <QByteArray>

namespace dtlsd::fuzz {

class Capture
{
public:
    struct Screen
    {
        bool isTerminal = false;
        int columns = 0;
        int rows = 0;
    };

    explicit Capture(const Screen &onScreen);
    ~Capture();
    Capture(const Capture &) = delete;
    Capture &operator=(const Capture &) = delete;
    /// nullptr: none exists.
    static Capture *current();

    const Screen screen;
    QByteArray output;
    QByteArray errors;
};

} // namespace dtlsd::fuzz
