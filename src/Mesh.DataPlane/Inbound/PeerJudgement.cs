using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Mesh.DataPlane.Tls;

namespace Mesh.DataPlane.Inbound;

/// <summary>What one handshake has found out about the peer.</summary>
internal sealed class PeerJudgement
{
    private InboundTls? _tls;
    private CertificateValidation? _validation;
    private SeenIntermediates? _intermediates;

    /// <summary>Whether the peer has been judged: what resumes a session may not be.</summary>
    public bool IsMade { get; private set; }

    /// <summary>Why the peer is refused.</summary>
    public string? Refusal { get; private set; }

    /// <summary>The peer has shown a certificate, and that is refused.</summary>
    public bool RefusesCertificate { get; private set; }

    /// <summary>What the peer has shown beside its certificate.</summary>
    public IReadOnlyList<X509Certificate2> Others { get; private set; } = [];

    public RemoteCertificateValidationCallback Callback(InboundTls tls, CertificateValidation validation, SeenIntermediates intermediates)
    {
        (_tls, _validation, _intermediates) = (tls, validation, intermediates);
        return Judge;
    }

    /// <summary>Judges a peer that the framework has let in without asking.</summary>
    public bool JudgeResumed(InboundTls tls, X509Certificate2? certificate)
    {
        IsMade = true;
        Refusal = certificate is null
            ? tls.Settings.RequiresClientCertificate ? "The client has shown no certificate." : null
            : tls.JudgeAgain(certificate, others: [])?.Explanation;
        RefusesCertificate = Refusal is not null && certificate is not null;
        return Refusal is null;
    }

    private bool Judge(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        IsMade = true;
        Refusal = _tls!.Judge(_validation!, certificate as X509Certificate2, chain)?.Explanation;
        RefusesCertificate = Refusal is not null && certificate is not null;
        if (Refusal is null && chain is not null)
        {
            Others = _intermediates!.Learn(chain);
        }

        return Refusal is null;
    }
}
