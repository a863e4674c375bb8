// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes the TLS backend under QDtls, without the filters that DtlsServer has in front of it. The
// input is a program: each instruction is a letter with its arguments (Program.h), and any other
// byte is passed over.
//
//   b key            both sides begin anew; with an even number the client's key is the server's
//   v edits          the verifier gets the client's hello, edited
//   h                the handshake goes on until both are silent
//   n                the server gets the client's next datagram
//   m edits          gets it edited
//   a                gets all of its datagrams as one
//   d                the next datagram is lost
//   r                the client gets the server's next datagram
//   e edits          gets it edited
//   s bytes          the client says something
//   w size           the server says something, of any size
//   j bytes          the server gets bytes
//   t k x            the server's handleTimeout(), abortHandshake(), shutdown()
//
// Whatever comes, OpenSSL's error queue is empty after it, and an error leaves nothing encrypted.
#include "fuzz/Edit.h"
#include "fuzz/FuzzTarget.h"
#include "fuzz/PredictableRandom.h"
#include "fuzz/Program.h"
#include "support/DtlsPair.h"
#include "wire/Record.h"

#include <memory>

#include <openssl/err.h>

using namespace dtlsd;
using namespace dtlsd::fuzz;
using test::DtlsPair;

namespace {

constexpr int mostSteps = 256;

class Interpreter
{
public:
    explicit Interpreter(Program program)
        : m_program(program)
    {
    }

    void run();

private:
    void step(char instruction);
    void stepOfClient(char instruction);
    void stepOfServer(char instruction);
    void begin();
    void verify(const QByteArray &datagram);
    void arrive(const QByteArray &datagram);
    void checkServer();

    QByteArray all();

    Program m_program;
    std::unique_ptr<DtlsPair> m_pair = std::make_unique<DtlsPair>();
};

void Interpreter::run()
{
    for (int i = 0; i < mostSteps && !m_program.isOver(); ++i) {
        step(m_program.instruction());
        checkServer();
    }
}

void Interpreter::step(char instruction)
{
    if (QByteArrayView("resbh").contains(instruction))
        stepOfClient(instruction);
    else
        stepOfServer(instruction);
}

void Interpreter::begin()
{
    const bool isRight = m_program.number() % 2 == 0;
    m_pair = std::make_unique<DtlsPair>(DtlsPair::key,
                                        isRight ? DtlsPair::key : QByteArray("not the right one"));
    m_pair->toServer.datagrams.push_back(m_pair->helloWithCookie());
}

void Interpreter::stepOfClient(char instruction)
{
    switch (instruction) {
    case 'r':
        m_pair->answer(m_pair->toClient.take());
        break;
    case 'e':
        m_pair->answer(edited(m_pair->toClient.take(), m_program));
        break;
    case 's':
        if (m_pair->client.isConnectionEncrypted())
            m_pair->client.writeDatagramEncrypted(&m_pair->toServer, m_program.bytes());
        break;
    case 'h':
        m_pair = std::make_unique<DtlsPair>();
        require(m_pair->handshake(), "a handshake without a disturbance succeeds");
        break;
    default:
        begin();
    }
    ERR_clear_error(); // the client is Qt's, which leaves it full
}

QByteArray Interpreter::all()
{
    QByteArray datagram;
    while (!m_pair->toServer.datagrams.empty())
        datagram += m_pair->toServer.take();
    return datagram;
}

void Interpreter::stepOfServer(char instruction)
{
    switch (instruction) {
    case 'v':
        return verify(edited(m_pair->toServer.take(), m_program));
    case 'n':
        return arrive(m_pair->toServer.take());
    case 'm':
        return arrive(edited(m_pair->toServer.take(), m_program));
    case 'a':
        return arrive(all());
    case 'd':
        m_pair->toServer.take();
        return;
    case 'w':
        m_pair->server.writeDatagramEncrypted(&m_pair->toClient,
                                              QByteArray(m_program.wideNumber(), 'w'));
        return;
    case 'j':
        return arrive(m_program.bytes());
    case 't':
        m_pair->server.handleTimeout(&m_pair->toClient);
        return;
    case 'k':
        m_pair->server.abortHandshake(&m_pair->toClient);
        return;
    case 'x':
        m_pair->server.shutdown(&m_pair->toClient);
        return;
    default:
        return;
    }
}

void Interpreter::verify(const QByteArray &datagram)
{
    const auto before = m_pair->toClient.datagrams.size();
    m_pair->verifier.verifyClient(&m_pair->toClient, datagram, DtlsPair::clientAddress,
                                  DtlsPair::clientPort);
    require(m_pair->toClient.datagrams.size() <= before + 1, "at most one answer to a hello");
}

void Interpreter::arrive(const QByteArray &datagram)
{
    const QByteArray plaintext = m_pair->arrive(datagram);
    require(plaintext.size() <= Record::maximumPlaintext + datagram.size(),
            "no more plaintext than came");
}

void Interpreter::checkServer()
{
    const QDtls &server = m_pair->server;
    require(ERR_peek_error() == 0, "OpenSSL's error queue is empty");
    require(server.dtlsError() != QDtlsError::TlsFatalError || !server.isConnectionEncrypted(),
            "a fatal error ends the session");
    require(server.isConnectionEncrypted() == (server.handshakeState() == QDtls::HandshakeComplete),
            "encrypted is what is complete");
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    restartRandom();
    Interpreter(Program(viewOf(data, size))).run();
    return 0;
}
