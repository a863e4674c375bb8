// SPDX-License-Identifier: Apache-2.0
//
// A LineClient that speaks DTLS with wolfSSL. Suites as wolfSSL spells them, such as
// PSK-CHACHA20-POLY1305. For ECDHE it offers only P-256: by default wolfSSL 5.5 offers X25519 too,
// and then refuses the server's share ("Bad ECC Peer Key"). With WOLFSSL_OWN_GROUPS in the
// environment it offers wolfSSL's default groups.
#include "support/clients/LineClient.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include <fcntl.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

using namespace dtlsd::test;

namespace {

class WolfSslClient : public LineClient
{
public:
    WolfSslClient();
    ~WolfSslClient() override;

protected:
    [[nodiscard]] std::string version() const override;
    bool prepare(const Credentials &credentials, const std::string &suite) override;
    bool shakeHands(int socket) override;
    [[nodiscard]] std::string suite() const override;
    bool send(std::string_view plaintext) override;
    std::optional<std::string> receive() override;
    [[nodiscard]] bool isOver() const override { return m_over; }
    void sayGoodbye() override { wolfSSL_shutdown(m_ssl); }
    [[nodiscard]] std::string error() const override;

private:
    static unsigned giveKey(WOLFSSL *ssl, const char *hint, char *identity, unsigned identityRoom,
                            unsigned char *key, unsigned keyRoom);

    WOLFSSL_CTX *m_context = nullptr;
    WOLFSSL *m_ssl = nullptr;
    Credentials m_credentials;
    int m_error = 0;
    bool m_over = false;
};

WolfSslClient::WolfSslClient()
{
    wolfSSL_Init();
    m_context = wolfSSL_CTX_new(wolfDTLSv1_2_client_method());
}

WolfSslClient::~WolfSslClient()
{
    wolfSSL_free(m_ssl);
    wolfSSL_CTX_free(m_context);
    wolfSSL_Cleanup();
}

std::string WolfSslClient::version() const
{
    return std::string("wolfSSL ") + wolfSSL_lib_version();
}

unsigned WolfSslClient::giveKey(WOLFSSL *ssl, const char *, char *identity, unsigned identityRoom,
                                unsigned char *key, unsigned keyRoom)
{
    const auto *self = static_cast<WolfSslClient *>(wolfSSL_get_psk_callback_ctx(ssl));
    const Credentials &credentials = self->m_credentials;
    if (credentials.identity.size() >= identityRoom || credentials.key.size() > keyRoom)
        return 0;
    *std::copy(credentials.identity.begin(), credentials.identity.end(), identity) = '\0';
    std::copy(credentials.key.begin(), credentials.key.end(), key);
    return static_cast<unsigned>(credentials.key.size());
}

bool WolfSslClient::prepare(const Credentials &credentials, const std::string &suite)
{
    m_credentials = credentials;
    wolfSSL_CTX_set_psk_client_callback(m_context, giveKey);
    if (!suite.empty() && wolfSSL_CTX_set_cipher_list(m_context, suite.c_str()) != WOLFSSL_SUCCESS)
        return false;
    m_ssl = wolfSSL_new(m_context);
    if (!std::getenv("WOLFSSL_OWN_GROUPS"))
        wolfSSL_UseSupportedCurve(m_ssl, WOLFSSL_ECC_SECP256R1);
    return m_ssl && wolfSSL_set_psk_callback_ctx(m_ssl, this) == WOLFSSL_SUCCESS;
}

bool WolfSslClient::shakeHands(int socket)
{
    // Connected, so that it does not compare addresses: its IPv6 addresses are too long for that.
    wolfSSL_set_dtls_fd_connected(m_ssl, socket);
    // Retransmits after 1, 2 and 4 s, and then gives up.
    wolfSSL_dtls_set_timeout_max(m_ssl, 4);
    wolfSSL_dtls_set_timeout_init(m_ssl, 1);
    const int done = wolfSSL_connect(m_ssl);
    m_error = wolfSSL_get_error(m_ssl, done);
    // From here on a datagram without data must not block.
    wolfSSL_dtls_set_using_nonblock(m_ssl, 1);
    return done == WOLFSSL_SUCCESS && fcntl(socket, F_SETFL, O_NONBLOCK) == 0;
}

std::string WolfSslClient::suite() const
{
    return wolfSSL_get_cipher_name(m_ssl);
}

bool WolfSslClient::send(std::string_view plaintext)
{
    const int sent = wolfSSL_write(m_ssl, plaintext.data(), static_cast<int>(plaintext.size()));
    m_error = wolfSSL_get_error(m_ssl, sent);
    return sent > 0;
}

std::optional<std::string> WolfSslClient::receive()
{
    std::array<char, 16384> buffer{};
    const int size = wolfSSL_read(m_ssl, buffer.data(), static_cast<int>(buffer.size()));
    if (size > 0)
        return std::string(buffer.begin(), buffer.begin() + size);
    m_over = wolfSSL_get_error(m_ssl, size) != WOLFSSL_ERROR_WANT_READ;
    return std::nullopt;
}

std::string WolfSslClient::error() const
{
    std::array<char, 200> text{};
    return wolfSSL_ERR_error_string(static_cast<unsigned long>(m_error), text.data());
}

} // namespace

int main(int argc, char **argv)
{
    return WolfSslClient().run(argc, argv);
}
