using System.Collections.Concurrent;
using System.Net.Security;
using System.Runtime.CompilerServices;

namespace Mesh.DataPlane.Tls;

/// <summary>
/// Who may resume a session. The framework finds sessions by server name and client certificate, whatever the peer was held to when they began; so the
/// first to use a pair has it, and whoever asks something else of the same name makes full handshakes. A certificate that is renewed, or a pair that
/// nobody has used, begins anew.
/// </summary>
internal static class ResumptionScopes
{
    private const int MaxCertificates = 64;
    private const int MaxNames = 4096;

    private static readonly ConditionalWeakTable<CertificateValidation, object> Keys = [];
    private static readonly Dictionary<string, ConcurrentDictionary<string, (object Key, string? Host)>> Scopes = new(StringComparer.Ordinal);
    private static readonly Queue<string> Certificates = [];
    private static readonly Lock Sync = new();

    /// <param name="certificate">The client's; <see langword="null"/> for none.</param>
    /// <param name="serverName">The name that is asked for.</param>
    /// <param name="validation">What is asked of the peer.</param>
    /// <param name="host">The host that its certificate must be for.</param>
    public static bool MayResume(SslStreamCertificateContext? certificate, string serverName, CertificateValidation validation, string? host)
    {
        // Without a name there is no session to find.
        if (serverName.Length == 0)
        {
            return true;
        }

        var scope = ScopeOf(certificate?.TargetCertificate.Thumbprint ?? "");
        var key = (Keys.GetValue(validation, static _ => new object()), host);
        return scope.TryGetValue(serverName, out var owner) ? owner == key : scope.Count < MaxNames && scope.GetOrAdd(serverName, key) == key;
    }

    private static ConcurrentDictionary<string, (object Key, string? Host)> ScopeOf(string certificate)
    {
        lock (Sync)
        {
            if (!Scopes.TryGetValue(certificate, out var scope))
            {
                if (Certificates.Count == MaxCertificates)
                {
                    Scopes.Remove(Certificates.Dequeue());
                }

                Certificates.Enqueue(certificate);
                Scopes.Add(certificate, scope = new(StringComparer.OrdinalIgnoreCase));
            }

            return scope;
        }
    }
}
