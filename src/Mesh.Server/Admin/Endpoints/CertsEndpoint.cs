using Mesh.DataPlane.Explaining;
using Mesh.Server.Admin.Html;

namespace Mesh.Server.Admin.Endpoints;

/// <summary>The certificates that are shown and the authorities that are trusted, and never a key.</summary>
internal sealed class CertsEndpoint() : AdminEndpoint("/certs", "Certificates")
{
    public override Task GetAsync(AdminRequest request)
    {
        var secrets = SecretDump.Of(request.Engine.Identity, request.Engine.Client.Status, request.Time);
        return request.FormatOr(AdminFormat.Json) == AdminFormat.Html
            ? request.WritePageAsync("Certificates", Page(secrets))
            : request.WriteJsonAsync(new { certificates = secrets.Select(Shape) });
    }

    private static object Shape(SecretDump secret) => new
    {
        name = secret.Name,
        source = secret.Source,
        error = secret.Error,
        ca_cert = secret.CaCert.Select(Shape),
        cert_chain = secret.CertChain.Select(Shape),
    };

    // Envoy's names, and what it leaves out.
    private static object Shape(CertificateDump certificate) => new
    {
        serial_number = certificate.SerialNumber.ToLowerInvariant(),
        subject_alt_names = certificate.Names.Select(n => n.Contains("://", StringComparison.Ordinal) ? (object)new { uri = n } : new { dns = n }),
        days_until_expiration = certificate.DaysUntilExpiration,
        valid_from = certificate.ValidFrom,
        expiration_time = certificate.ExpirationTime,
        subject = certificate.Subject,
        issuer = certificate.Issuer,
        sha256 = certificate.Sha256,
    };

    private static HtmlText Page(IReadOnlyList<SecretDump> secrets)
        => secrets.Count == 0
            ? HtmlText.Of($"<p class=\"dim\">This process has no identity and has received no certificate.</p>")
            : HtmlText.Each(secrets, secret => HtmlText.Of($"""
                <h2>{secret.Name} <span class="dim">from {secret.Source}</span></h2>
                {(secret.Error is { } error ? HtmlText.Of($"<p class=\"bad\">{error}</p>") : HtmlText.Empty)}
                {AdminPage.Table(
                    ["", "Names", "Valid", "Days left", "Issuer", "SHA-256"],
                    secret.CertChain.Select((c, i) => Row(i == 0 ? "certificate" : "chain", c)).Concat(secret.CaCert.Select(c => Row("authority", c))),
                    "Nothing has come yet.")}
                """));

    private static HtmlText Row(string kind, CertificateDump c)
        => HtmlText.Of($"<tr><td>{kind}</td><td><code>{(c.Names.Count > 0 ? string.Join(", ", c.Names) : c.Subject)}</code><br><span class=\"dim\">{c.SerialNumber}</span></td><td>{c.ValidFrom:u}<br>{c.ExpirationTime:u}</td><td class=\"n\">{c.DaysUntilExpiration}</td><td>{c.Issuer}</td><td><code>{c.Sha256}</code></td></tr>");
}
