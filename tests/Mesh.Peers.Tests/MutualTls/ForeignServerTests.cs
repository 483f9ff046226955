using System.Security.Cryptography.X509Certificates;
using Mesh.Client.Tests.Tls;
using Mesh.DataPlane.Tls;

namespace Mesh.Peers.Tests.MutualTls;

/// <summary>The mesh's client and servers of OpenSSL and nginx that want to see a workload's certificate.</summary>
public sealed class ForeignServerTests
{
    [ProgramFact("openssl", "version")]
    public async Task OpenSSL_accepts_the_workload_and_hears_Istios_names()
    {
        await using var world = new MutualTlsWorld().Identify();
        await using var server = await ForeignServer.StartOpenSslAsync(world.Root, "-alpn", $"{MeshAlpn.Http11},{MeshAlpn.Any}");
        world.Serve(MutualTlsWorld.Context(MeshAlpn.Http11, MeshAlpn.Any), server.Port);

        var (status, body) = await world.GetAsync();

        status.ShouldBe(200);
        body.ShouldContain("TLSv1.3");
        body.ShouldContain("Client certificate");
        body.ShouldContain($"URI:{WorkloadCertificates.Account("productpage")}");
    }

    [ProgramFact("openssl", "version")]
    public async Task OpenSSL_of_TLS_1_2_is_spoken_to_and_of_less_is_not()
    {
        await using var world = new MutualTlsWorld().Identify();
        await using var older = await ForeignServer.StartOpenSslAsync(world.Root, "-tls1_2");
        world.Serve(MutualTlsWorld.Context(), older.Port);
        (await world.GetAsync()).Body.ShouldContain("TLSv1.2");

        await using var oldest = await ForeignServer.StartOpenSslAsync(world.Root, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0");
        world.Serve(MutualTlsWorld.Context(), oldest.Port);
        (await world.GetAsync()).Status.ShouldBe(503);
    }

    [ProgramFact("openssl", "version")]
    public async Task OpenSSL_refuses_a_workload_of_another_mesh()
    {
        using var other = new Mesh.TestNet.TestCertificateAuthority("Other");
        await using var world = new MutualTlsWorld();
        world.Identity.Set(WorkloadCertificates.AuthoritiesSecret(world.Root));
        world.Identity.Set(WorkloadCertificates.CertificateSecret(other.IssueWorkload("productpage")));
        await using var server = await ForeignServer.StartOpenSslAsync(world.Root);
        world.Serve(MutualTlsWorld.Context(), server.Port);

        (await world.GetAsync()).Status.ShouldBe(503);
    }

    [ProgramFact("nginx", "-v")]
    public async Task Nginx_verifies_the_workload()
    {
        await using var world = new MutualTlsWorld();
        using var certificate = world.Root.IssueWorkload("productpage");
        world.Identity.Set(WorkloadCertificates.AuthoritiesSecret(world.Root));
        world.Identity.Set(WorkloadCertificates.CertificateSecret(certificate));
        await using var server = await ForeignServer.StartNginxAsync(world.Root);
        world.Serve(MutualTlsWorld.Context(), server.Port);

        // The byte that keeps a number positive is no part of it to nginx.
        var serial = certificate.SerialNumber.StartsWith("00", StringComparison.Ordinal) ? certificate.SerialNumber[2..] : certificate.SerialNumber;
        (await world.GetAsync()).Body.ShouldBe($"SUCCESS {serial} {MutualTlsWorld.Sni} TLSv1.3");
    }
}
