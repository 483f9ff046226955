using System.Net;

namespace Mesh.Server.Tests;

public class ListeningAddressesTests
{
    private static readonly IPAddress Machine = IPAddress.Parse("10.0.0.7");

    [Theory]
    [InlineData("http://127.0.0.1:5000", "http=127.0.0.1:5000")]
    [InlineData("http://localhost:5000", "http=127.0.0.1:5000")]
    [InlineData("http://[::]:8080", "http=10.0.0.7:8080")]
    [InlineData("http://0.0.0.0:8080", "http=10.0.0.7:8080")]
    [InlineData("http://*:8080", "http=10.0.0.7:8080")]
    [InlineData("http://[::1]:8080", "http=[::1]:8080")]
    [InlineData("http://127.0.0.1:5000 http://127.0.0.1:5001", "http=127.0.0.1:5000 http-5001=127.0.0.1:5001")]
    [InlineData("http://[::]:8080 http://0.0.0.0:8080", "http=10.0.0.7:8080")]
    [InlineData("https://127.0.0.1:5001 http://127.0.0.1:5000", "https=127.0.0.1:5001 http=127.0.0.1:5000")]
    [InlineData("https://127.0.0.1:5001 https://127.0.0.1:5002", "https=127.0.0.1:5001 https-5002=127.0.0.1:5002")]
    [InlineData("http://unix:/run/app.sock", "")]
    public void What_is_registered_is_what_others_can_reach(string listening, string expected)
        => string.Join(' ', ListeningAddresses.ByPortName(listening.Split(' '), Machine).Select(a => $"{a.Key}={a.Value}")).ShouldBe(expected);
}
