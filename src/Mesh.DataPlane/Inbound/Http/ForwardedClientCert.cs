using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Mesh.DataPlane.Inbound.Http;

/// <summary>Envoy's <c>forward_client_cert_details</c> and <c>set_current_client_cert_details</c>: what the application is told of the caller's certificate, and whom it may believe.</summary>
/// <param name="Action">What becomes of the header that a request brings.</param>
internal sealed record ForwardedClientCert(ForwardedClientCertAction Action)
{
    public const string Header = "x-forwarded-client-cert";

    // A connection brings many requests, a peer many connections, and they all say the same. What is shown beside the certificate may differ.
    private readonly ConditionalWeakTable<object, Value> _values = [];

    /// <summary>The header is removed: nobody can forge what is not there.</summary>
    public static ForwardedClientCert Sanitize { get; } = new(ForwardedClientCertAction.Sanitize);

    public bool Subject { get; init; }

    public bool Cert { get; init; }

    public bool Chain { get; init; }

    public bool Dns { get; init; }

    public bool Uri { get; init; }

    /// <summary>What this process says of the caller: By, Hash, then what is asked for, in Envoy's order.</summary>
    public string ValueOf(ConnectionFacts connection)
    {
        object key = Chain ? connection : connection.PeerFacts!;
        if (!_values.TryGetValue(key, out var value) || value.LocalUriName != connection.LocalUriName)
        {
            value = new Value(connection.LocalUriName, Create(connection));
            _values.AddOrUpdate(key, value);
        }

        return value.Text;
    }

    public bool Equals(ForwardedClientCert? other)
        => other is not null && (Action, Subject, Cert, Chain, Dns, Uri) == (other.Action, other.Subject, other.Cert, other.Chain, other.Dns, other.Uri);

    public override int GetHashCode() => HashCode.Combine(Action, Subject, Cert, Chain, Dns, Uri);

    private string Create(ConnectionFacts connection)
    {
        var text = new StringBuilder();
        if (connection.LocalUriName is { Length: > 0 } local)
        {
            Append("By=").Append(Safe(local));
        }

        Append("Hash=").Append(connection.PeerSha256);
        if (Cert)
        {
            Append("Cert=\"").Append(Pem([connection.PeerCertificate!])).Append('"');
        }

        if (Chain)
        {
            Append("Chain=\"").Append(Pem([connection.PeerCertificate!, .. connection.PeerIntermediates])).Append('"');
        }

        if (Subject)
        {
            Append("Subject=\"").Append(connection.Subject).Append('"');
        }

        if (Uri)
        {
            Append("URI=").Append(connection.UriNames.Count > 0 ? Safe(connection.UriNames[0]) : "");
        }

        if (Dns)
        {
            foreach (var name in connection.DnsNames)
            {
                Append("DNS=").Append(Safe(name));
            }
        }

        return text.ToString();

        StringBuilder Append(string key) => (text.Length > 0 ? text.Append(';') : text).Append(key);
    }

    private sealed record Value(string? LocalUriName, string Text);

    // What would begin another element or pair is escaped: a certificate may have any name that an authority has signed.
    private static string Safe(string name)
        => name.AsSpan().IndexOfAny(",;=\"") < 0 ? name : name.Replace(",", "%2C", StringComparison.Ordinal).Replace(";", "%3B", StringComparison.Ordinal).Replace("=", "%3D", StringComparison.Ordinal).Replace("\"", "%22", StringComparison.Ordinal);

    private static string Pem(IEnumerable<X509Certificate2> certificates)
        => string.Concat(certificates.Select(c => c.ExportCertificatePem() + "\n"))
            .Replace("\n", "%0A", StringComparison.Ordinal)
            .Replace(" ", "%20", StringComparison.Ordinal)
            .Replace("+", "%2B", StringComparison.Ordinal)
            .Replace("/", "%2F", StringComparison.Ordinal)
            .Replace("=", "%3D", StringComparison.Ordinal);
}
