using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Mesh.Cli.Output;

namespace Mesh.Cli.ProxyConfig;

/// <summary>Certificates and authorities, and until when they are good. Keys are in no dump.</summary>
internal static class SecretTable
{
    private static readonly string[] Columns = ["RESOURCE NAME", "TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER", "NOT AFTER", "NOT BEFORE"];

    /// <summary>Those that a control plane has sent.</summary>
    public static Table Of(IEnumerable<Secret> secrets, DateTimeOffset now)
    {
        var table = new Table(Columns);
        foreach (var secret in secrets.OrderBy(secret => secret.Name, StringComparer.Ordinal))
        {
            var (type, source) = secret.TypeCase switch
            {
                Secret.TypeOneofCase.TlsCertificate => ("Cert Chain", secret.TlsCertificate.CertificateChain),
                Secret.TypeOneofCase.ValidationContext => ("CA", secret.ValidationContext.TrustedCa),
                _ => ("", null),
            };
            AddRows(table, secret.Name, type, CertificatesOf(source), now);
        }

        return table;
    }

    /// <summary>Those that a process shows and trusts: Envoy's <c>/certs</c>.</summary>
    public static Table Of(JsonNode certs, DateTimeOffset now)
    {
        var table = new Table(Columns);
        foreach (var secret in (certs["certificates"] as JsonArray ?? []).OfType<JsonObject>())
        {
            var name = secret["name"]?.ToString();
            foreach (var (list, type) in new[] { ("cert_chain", "Cert Chain"), ("ca_cert", "CA") })
            {
                foreach (var certificate in (secret[list] as JsonArray ?? []).OfType<JsonObject>())
                {
                    var from = TimeOf(certificate["valid_from"]);
                    var to = TimeOf(certificate["expiration_time"]);
                    AddRow(table, name, type, certificate["serial_number"]?.ToString(), from, to, now);
                }
            }
        }

        return table;
    }

    private static void AddRows(Table table, string name, string type, X509Certificate2Collection certificates, DateTimeOffset now)
    {
        if (certificates.Count == 0)
        {
            table.Add(name, type, "", "", "", "", "");
        }

        foreach (var certificate in certificates)
        {
            AddRow(table, name, type, certificate.SerialNumber.ToLowerInvariant(), certificate.NotBefore, certificate.NotAfter, now);
        }
    }

    private static void AddRow(Table table, string? name, string type, string? serial, DateTimeOffset? from, DateTimeOffset? to, DateTimeOffset now)
        => table.Add(name, type, "ACTIVE", now >= from && now < to ? "true" : "false", serial, Text(to), Text(from));

    private static X509Certificate2Collection CertificatesOf(DataSource? source)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(source?.SpecifierCase switch
            {
                DataSource.SpecifierOneofCase.InlineBytes => source.InlineBytes.ToStringUtf8(),
                DataSource.SpecifierOneofCase.InlineString => source.InlineString,
                _ => "",
            });
        }
        catch (CryptographicException)
        {
            certificates.Clear();
        }

        return certificates;
    }

    private static DateTimeOffset? TimeOf(JsonNode? node)
        => DateTimeOffset.TryParse(node?.ToString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    private static string? Text(DateTimeOffset? time) => time?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
