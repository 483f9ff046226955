using Mesh.DataPlane.Tls;

namespace Mesh.DataPlane.Upstream;

/// <summary>Says why a connection that was there could not be made a secure one.</summary>
internal static class TlsFailures
{
    // What is told comes from the peer in part, and goes into headers and logs.
    private const int MaxReason = 200;

    public static LocalReply ReplyTo(HttpRequestException exception)
    {
        var cause = (Exception)exception;
        while (cause is not TlsFailureException && cause.InnerException is { } inner)
        {
            cause = inner;
        }

        var reason = (cause as TlsFailureException)?.Reason ?? cause.Message.Trim('.', ' ');
        return reason == TlsErrors.WrongName ? LocalReply.NameCheckFailure : LocalReply.TlsFailure(Limit(reason));
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
