using System.Net;
using System.Net.Sockets;
using System.Text;
using Envoy.Config.Rbac.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Type.Matcher.V3;
using Google.Protobuf.WellKnownTypes;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using HttpRbac = Envoy.Extensions.Filters.Http.Rbac.V3.RBAC;

namespace Mesh.Server.Tests.Http;

/// <summary>HTTP/2 can name the host twice: what policies judge is what the application sees.</summary>
public sealed class AuthorityTests
{
    private const byte Headers = 1;
    private const byte Settings = 4;
    private const byte EndOfBoth = 5;

    [Theory]
    [InlineData("secret", null, 0)]
    [InlineData("secret", "public", 0)]
    [InlineData("SECRET", "public", 0)]
    [InlineData("public", "secret", 1)]
    [InlineData("public", "public", 1)]
    [InlineData(null, "secret", 0)]
    [InlineData(null, "public", 1)]
    public async Task A_host_beside_the_authority_hides_nothing_from_a_policy(string? authority, string? host, int served)
    {
        await using var door = await DoorHost.StartAsync(
            manager => manager.HttpFilters.Insert(0, new HttpFilter { Name = "envoy.filters.http.rbac", TypedConfig = Any.Pack(NotForSecrets()) }), protocols: HttpProtocols.Http2);

        await SendAsync(door.EndPoint, authority, host);

        door.Requests.Count.ShouldBe(served);
        door.Requests.ShouldAllBe(request => request.Host == "public");
    }

    private static HttpRbac NotForSecrets() => new()
    {
        Rules = new RBAC
        {
            Action = RBAC.Types.Action.Deny,
            Policies =
            {
                ["secret"] = new Policy
                {
                    Permissions = { new Permission { Header = new HeaderMatcher { Name = ":authority", StringMatch = new StringMatcher { Exact = "secret", IgnoreCase = true } } } },
                    Principals = { new Principal { Any = true } },
                },
            },
        },
    };

    // No client of .NET says both.
    private static async Task SendAsync(IPEndPoint server, string? authority, string? host)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(server);
        var stream = client.GetStream();
        using var block = new MemoryStream();
        Add(":method", "GET");
        Add(":scheme", "http");
        Add(":path", "/");
        Add(":authority", authority);
        Add("host", host);
        await stream.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray());
        await WriteFrameAsync(Settings, 0, 0, []);
        await WriteFrameAsync(Headers, EndOfBoth, 1, block.ToArray());

        // The answer, or the end of the stream or of the connection: then the request has been dealt with.
        var head = new byte[9];
        while (await stream.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false) == head.Length)
        {
            var length = (head[0] << 16) | (head[1] << 8) | head[2];
            await stream.ReadExactlyAsync(new byte[length]);
            if (head[8] == 1)
            {
                break;
            }
        }

        void Add(string name, string? value)
        {
            if (value is null)
            {
                return;
            }

            // A literal without indexing, and without Huffman's code (RFC 7541, 6.2.2).
            block.WriteByte(0);
            foreach (var text in new[] { name, value })
            {
                block.WriteByte((byte)text.Length);
                block.Write(Encoding.ASCII.GetBytes(text));
            }
        }

        ValueTask WriteFrameAsync(byte type, byte flags, byte id, byte[] payload)
            => stream.WriteAsync((byte[])[0, 0, (byte)payload.Length, type, flags, 0, 0, 0, id, .. payload]);
    }
}
