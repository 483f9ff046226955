using System.Security.Cryptography.X509Certificates;
using Mesh.DataPlane.Identity;
using Mesh.DataPlane.Tests.Tls;
using Mesh.Identity;
using Mesh.Testing;
using Mesh.Xds.Certificates;

namespace Mesh.DataPlane.Tests.Identity;

/// <summary>A workload and its certificate authority, on a clock that the test moves.</summary>
internal sealed class AuthorityWorld : IAsyncDisposable
{
    private readonly IDisposable[] _watches;

    public AuthorityWorld(Action<TestAuthority>? configure = null, IRandomSource? random = null, MeshIdentityAuthorityOptions? options = null)
    {
        Authority = new TestAuthority(Time);
        configure?.Invoke(Authority);
        var source = new CertificateAuthoritySource(
            Authority, () => new CallerCredentials { InProcess = ("default", "reviews") }, SpiffeId.Parse(TestAuthority.Workload), options ?? new(), Time, random ?? new SequenceRandomSource(1), Log);
        Identity = new WorkloadIdentity(source, Time, Log);
        _watches = [Identity.Watch(ISecretSource.Certificate, Certificates), Identity.Watch(ISecretSource.Authorities, Authorities)];
        Identity.Start();
    }

    public ManualTimeProvider Time { get; } = new(Pki.Now);

    public LogRecorder Log { get; } = new();

    public TestAuthority Authority { get; }

    public WorkloadIdentity Identity { get; }

    public SecretRecorder Certificates { get; } = new();

    public SecretRecorder Authorities { get; } = new();

    public async Task<X509Certificate2> NextCertificateAsync() => (await Certificates.NextAsync()).Certificate!.Get().TargetCertificate;

    /// <summary>Goes on to a moment at which something happens, and to nothing before it.</summary>
    public async Task AdvanceAsync(TimeSpan by)
    {
        for (var left = by; left > TimeSpan.Zero; left -= CertificateAuthoritySource.LongestWait)
        {
            await Time.WaitForTimersAsync(1).WaitAsync(TimeSpan.FromSeconds(30));
            Time.Advance(left < CertificateAuthoritySource.LongestWait ? left : CertificateAuthoritySource.LongestWait);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var watch in _watches)
        {
            watch.Dispose();
        }

        await Identity.DisposeAsync();
    }
}
