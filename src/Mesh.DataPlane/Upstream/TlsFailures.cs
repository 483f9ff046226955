using System.Net.Security;
using System.Security.Authentication;

namespace Mesh.DataPlane.Upstream;

/// <summary>Says why a connection that was there could not be made a secure one.</summary>
internal static class TlsFailures
{
    // What is told comes from the peer in part, and goes into headers and logs.
    private const int MaxReason = 200;

    public static LocalReply ReplyTo(HttpRequestException exception)
    {
        var cause = (Exception)exception;
        while (cause.InnerException is { } inner)
        {
            cause = inner;
        }

        var reason = Refusal(exception) is { } errors
            ? errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) && !errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors) ? null : "CERTIFICATE_VERIFY_FAILED:" + errors
            : cause.Message.Trim('.', ' ');
        return reason is null ? LocalReply.NameCheckFailure : LocalReply.TlsFailure(Limit(reason));
    }

    // The framework tells what is wrong with a certificate in words alone.
    private static SslPolicyErrors? Refusal(Exception exception)
    {
        for (Exception? e = exception; e is not null; e = e.InnerException)
        {
            if (e is not AuthenticationException)
            {
                continue;
            }

            var errors = SslPolicyErrors.None;
            foreach (var error in Enum.GetValues<SslPolicyErrors>())
            {
                errors |= e.Message.Contains(error.ToString(), StringComparison.Ordinal) ? error : SslPolicyErrors.None;
            }

            // "… because of errors in the certificate chain: PartialChain".
            if (errors == SslPolicyErrors.None && e.Message.Contains("certificate chain", StringComparison.Ordinal))
            {
                errors = SslPolicyErrors.RemoteCertificateChainErrors;
            }

            if (errors != SslPolicyErrors.None)
            {
                return errors;
            }
        }

        return null;
    }

    private static string Limit(string text)
    {
        Span<char> clean = stackalloc char[Math.Min(text.Length, MaxReason)];
        for (var i = 0; i < clean.Length; i++)
        {
            clean[i] = char.IsAscii(text[i]) && !char.IsControl(text[i]) ? text[i] : '?';
        }

        return clean.ToString();
    }
}
