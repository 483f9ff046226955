using System.Net.Sockets;
using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Client.Tests.Tls;
using Mesh.DataPlane.Resources;
using Mesh.TestNet;
using Fixture = Mesh.DataPlane.Tests.Resources;

namespace Mesh.Client.Tests.Tcp;

/// <summary>Drivers that speak in the clear to services that want TLS: the cluster says how, and the mesh does it.</summary>
public sealed class TlsTests : IDisposable
{
    private readonly TestCertificateAuthority _authority = new();

    public void Dispose() => _authority.Dispose();

    [Fact]
    public async Task The_mesh_speaks_it_and_half_closes_it()
    {
        await using var server = new LineServer("secure", certificate: _authority.Issue("mysql"));
        await using var mesh = Serve(server, _authority);

        await using (var driver = await LineDriver.ConnectAsync(mesh.Connector(), TcpRules.Host))
        {
            (await driver.AskAsync("NAME")).ShouldBe("secure");
            await driver.SendAsync("SUM");
            await driver.Stream.WriteAsync(new byte[1024 * 1024]).AsTask().Within();
            await ((MeshStream)driver.Stream).CompleteWritesAsync();
            (await driver.ReadLineAsync()).ShouldBe("1048576");
            (await driver.ReadLineAsync()).ShouldBeNull();
        }

        mesh.Cluster("mysql").Stats.TlsHandshakes.Value.ShouldBe(1);
        mesh.ShouldHoldNothing();
    }

    [Fact]
    public async Task A_service_that_is_not_who_it_should_be_is_told_nothing()
    {
        using var stranger = new TestCertificateAuthority("stranger");
        await using var server = new LineServer("secure", certificate: stranger.Issue("mysql"));
        await using var mesh = Serve(server, _authority);

        var failure = await Should.ThrowAsync<SocketException>(mesh.Connector().ConnectAsync(TcpRules.Host, 3306).AsTask().Within());

        failure.Data[MeshRequest.ResponseFlags.Key].ShouldBe("UF");
        failure.Message.ShouldContain("of the cluster mysql says:");
        mesh.Cluster("mysql").Stats.TlsFailures.Value.ShouldBe(1);
        mesh.ShouldHoldNothing();
    }

    private static ClientMesh Serve(LineServer server, TestCertificateAuthority trusted)
    {
        var mesh = ClientMesh.Create();
        mesh.Xds.Set(ClusterType.Instance, Secure(trusted));
        return mesh.SetEndpoints("mysql", server.Port).Listen(TcpRules.Chain(TcpRules.To("mysql")));
    }

    /// <summary>A cluster whose endpoints want TLS and are held to one authority.</summary>
    internal static Envoy.Config.Cluster.V3.Cluster Secure(TestCertificateAuthority trusted)
    {
        var cluster = Fixture.Cluster("mysql");
        cluster.TransportSocket = new TransportSocket
        {
            Name = "envoy.transport_sockets.tls",
            TypedConfig = Any.Pack(new UpstreamTlsContext
            {
                Sni = "mysql",
                CommonTlsContext = new CommonTlsContext
                {
                    ValidationContext = new CertificateValidationContext
                    {
                        TrustedCa = new DataSource { InlineString = trusted.Pem },
                        MatchTypedSubjectAltNames = { OriginationWorld.Name("mysql") },
                    },
                },
            }),
        };
        return cluster;
    }
}
