using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Mesh.Xds.Ads;
using Mesh.Xds.Serving;
using Microsoft.Extensions.Logging;

namespace Mesh.ControlPlane.Security;

/// <summary>The roots that are trusted, as Istio's secret <c>ROOTCA</c> for whoever asks for it over ADS.</summary>
internal sealed partial class TrustBundle : IDisposable
{
    public const string Name = "ROOTCA";

    private readonly IIssuerSource _issuers;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private (string Roots, AdsResource Resource)? _current;

    public TrustBundle(IIssuerSource issuers, ILogger<TrustBundle> logger)
    {
        _issuers = issuers;
        _logger = logger;
        issuers.Changed += OnChanged;
    }

    /// <summary>Another root is trusted, or one no longer is.</summary>
    public event Action? Changed;

    /// <summary>What has to be pushed when it changes.</summary>
    public static AdsChange Change { get; } = new(new Dictionary<string, IReadOnlySet<string>?> { [TypeUrls.Secret] = new HashSet<string> { Name } });

    /// <summary>The resource; <see langword="null"/> when there is no root that can be used.</summary>
    public AdsResource? Find()
    {
        string roots;
        try
        {
            roots = _issuers.Current.RootsPem;
        }
        catch (AuthorityException e)
        {
            Log.NoRoots(_logger, e.Message);
            return null;
        }

        lock (_gate)
        {
            if (_current is { } current && current.Roots == roots)
            {
                return current.Resource;
            }

            var resource = new AdsResource(
                Name,
                new Secret
                {
                    Name = Name,
                    ValidationContext = new CertificateValidationContext { TrustedCa = new DataSource { InlineBytes = ByteString.CopyFromUtf8(roots) } },
                });
            _current = (roots, resource);
            return resource;
        }
    }

    public void Dispose() => _issuers.Changed -= OnChanged;

    private void OnChanged() => Changed?.Invoke();

    private static partial class Log
    {
        [LoggerMessage(3422, LogLevel.Error, "A workload asks for the mesh's roots, and there are none: {Reason}.")]
        public static partial void NoRoots(ILogger logger, string reason);
    }
}
