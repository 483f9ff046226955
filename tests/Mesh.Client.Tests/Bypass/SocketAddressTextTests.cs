using System.Net;
using System.Net.Sockets;
using Mesh.Client.Bypass;

namespace Mesh.Client.Tests.Bypass;

public class SocketAddressTextTests
{
    [Theory]
    [InlineData("127.0.0.1:80")]
    [InlineData("10.20.30.40:65535")]
    [InlineData("[::1]:443")]
    [InlineData("[2001:db8::7]:3306")]
    public void Reads_what_the_runtime_writes(string address)
    {
        var endpoint = IPEndPoint.Parse(address);

        SocketAddressText.Parse(endpoint.Serialize().ToString()).ShouldBe(endpoint);
    }

    [Fact]
    public void An_IPv4_address_is_one_however_the_socket_writes_it()
        => SocketAddressText.Parse(new IPEndPoint(IPAddress.Parse("10.0.0.1").MapToIPv6(), 80).Serialize().ToString()).ShouldBe(IPEndPoint.Parse("10.0.0.1:80"));

    [Theory]
    [InlineData("")]
    [InlineData("Unix:110:{47,116,109,112}")]
    [InlineData("InterNetwork")]
    [InlineData("InterNetwork:16:{}")]
    [InlineData("InterNetwork:16:{0,80,127,0,0}")]
    [InlineData("InterNetwork:16:{0,80,127,0,0,256,0,0}")]
    [InlineData("InterNetwork:16:{0,80,127,0,0,1")]
    [InlineData("InterNetwork:16:{a,b,c,d,e,f}")]
    [InlineData("InterNetworkV6:28:{1,187,0,0,0,0,0}")]
    [InlineData("InterNetwork}{")]
    public void Anything_else_is_no_address(string text) => SocketAddressText.Parse(text).ShouldBeNull();

    [Fact]
    public void A_unix_socket_is_no_host()
        => SocketAddressText.Parse(new UnixDomainSocketEndPoint("/tmp/socket").Serialize().ToString()).ShouldBeNull();
}
