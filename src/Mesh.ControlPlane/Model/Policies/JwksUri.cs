namespace Mesh.ControlPlane.Model.Policies;

/// <summary>Where the keys of an issuer are fetched from: the host and port that a cluster must lead to.</summary>
/// <param name="Host">The host, in lower case.</param>
/// <param name="Port">The port; that of the scheme where none is written.</param>
/// <param name="IsTls">Whether the scheme is <c>https</c>.</param>
internal readonly record struct JwksUri(string Host, uint Port, bool IsTls)
{
    /// <summary>Host and port as a client would write them.</summary>
    public string Authority => $"{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{Port}";

    public static bool TryParse(string text, out JwksUri uri, out string reason)
    {
        uri = default;
        reason = "";
        if (!Uri.TryCreate(text, UriKind.Absolute, out var parsed) || parsed.Host.Length == 0)
        {
            reason = $"\"{text}\" is not a URI with a host";
            return false;
        }

        if (parsed.Scheme is not ("http" or "https"))
        {
            reason = $"URI scheme \"{parsed.Scheme}\" is not supported";
            return false;
        }

        if (parsed.UserInfo.Length > 0)
        {
            reason = "a user and password in the URI would be sent to nobody, and be read by all who read this document";
            return false;
        }

        uri = new JwksUri(parsed.IdnHost.Trim('[', ']').ToLowerInvariant(), (uint)parsed.Port, parsed.Scheme == "https");
        return true;
    }
}
