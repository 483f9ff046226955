using Mesh.DataPlane.Identity;
using Mesh.DataPlane.Tests.Tls;
using Mesh.DataPlane.Tls;
using Mesh.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.DataPlane.Tests.Identity;

/// <summary>What a process knows of its own identity, told by a source on two threads.</summary>
public sealed class WorkloadIdentityTests
{
    [Fact]
    public void What_fails_of_the_authorities_while_a_certificate_comes_does_not_take_the_certificate_back()
    {
        var root = Pki.Authority("root");
        ClientCertificate[] certificates = [ClientCertificate.Of(Pki.Workload(root, TestAuthority.Workload), []), ClientCertificate.Of(Pki.Workload(root, TestAuthority.Workload), [])];
        using var identity = new WorkloadIdentity(new Source(), new ManualTimeProvider(Pki.Now), NullLogger.Instance);
        var done = false;
        var failures = 0;
        var failing = new Thread(() =>
        {
            while (!Volatile.Read(ref done))
            {
                identity.Fail($"no authorities: {++failures}", isFinal: false, ISecretSource.Authorities);
            }
        });
        failing.Start();

        var lost = 0;
        for (var i = 0; i < 2000; i++)
        {
            var certificate = certificates[i % 2];
            identity.UseCertificate(certificate);
            lost += identity.Status.SerialNumber == certificate.Get().TargetCertificate.SerialNumber ? 0 : 1;
        }

        Volatile.Write(ref done, true);
        failing.Join();
        lost.ShouldBe(0);
        identity.Status.LastError.ShouldBe(failures == 0 ? null : $"no authorities: {failures}");
    }

    private sealed class Source : IIdentitySource
    {
        public string Description => "the source of the test";

        public Task RunAsync(WorkloadIdentity identity, CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
