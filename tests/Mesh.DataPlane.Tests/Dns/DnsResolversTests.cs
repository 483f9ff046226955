using System.Net;
using Mesh.DataPlane.Configuration;
using Mesh.DataPlane.Dns;
using Mesh.TestNet.Dns;
using Mesh.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Shouldly;

namespace Mesh.DataPlane.Tests.Dns;

public sealed class DnsResolversTests
{
    [Fact]
    public async Task The_servers_of_the_settings_take_the_place_of_those_of_resolv_conf()
    {
        await using var server = DnsServer.Answering(q => q.Respond(1).Address(q.Name, "10.0.0.7", 30));
        var options = new MeshClientOptions { DnsServers = { server.EndPoint.ToString() } };

        var resolution = await DnsResolvers.Create(options, new ManualTimeProvider()).ResolveAsync(new DnsQuery("api.example.com", DnsLookupFamily.V4Only), default);

        resolution.Addresses.ShouldBe([IPAddress.Parse("10.0.0.7")]);
        server.Seen.ShouldHaveSingleItem().Name.ShouldBe("api.example.com.");
    }

    [Fact]
    public async Task The_hosts_file_of_the_settings_is_read_again_when_it_has_changed()
    {
        await using var server = DnsServer.Answering(q => q.Respond(more: 3));
        var file = Path.GetTempFileName();
        try
        {
            var resolver = DnsResolvers.Create(new MeshClientOptions { DnsServers = { server.EndPoint.ToString() }, HostsFile = file }, new ManualTimeProvider());
            await File.WriteAllTextAsync(file, "10.0.0.7 api.example.com\n");
            (await resolver.ResolveAsync(new DnsQuery("api.example.com", DnsLookupFamily.Auto), default)).Addresses.ShouldBe([IPAddress.Parse("10.0.0.7")]);

            await File.WriteAllTextAsync(file, "10.0.0.18 api.example.com\n");

            (await resolver.ResolveAsync(new DnsQuery("api.example.com", DnsLookupFamily.Auto), default)).Addresses.ShouldBe([IPAddress.Parse("10.0.0.18")]);
            server.Seen.ShouldBeEmpty();
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Servers_are_bound_from_the_configuration()
    {
        var options = Bind(("Mesh:Client:DnsServers:0", "127.0.0.1:5353"), ("Mesh:Client:DnsServers:1", "10.0.0.10"));

        options.Value.Client.DnsServers.ShouldBe(["127.0.0.1:5353", "10.0.0.10"]);
    }

    [Theory]
    [InlineData("10.0.0.10", "10.0.0.10:53")]
    [InlineData("127.0.0.1:5353", "127.0.0.1:5353")]
    [InlineData("fd00::10", "[fd00::10]:53")]
    [InlineData("[fd00::10]", "[fd00::10]:53")]
    [InlineData("[fd00::10]:5353", "[fd00::10]:5353")]
    public void Servers_are_addresses_with_or_without_a_port(string text, string expected)
    {
        DnsServerAddresses.TryParse(text, out var server).ShouldBeTrue();

        server.ToString().ShouldBe(expected);
    }

    [Theory]
    [InlineData("dns.example.com")]
    [InlineData("53")]
    [InlineData("10.0.1")]
    [InlineData("10.0.0.10:0")]
    [InlineData("10.0.0.10:port")]
    [InlineData("")]
    public void Whatever_else_is_written_there_is_refused_when_the_process_starts(string text)
    {
        var e = Should.Throw<OptionsValidationException>(() => Bind(("Mesh:Client:DnsServers:0", text)).Value);

        e.Failures.ShouldHaveSingleItem().ShouldBe($"Mesh:Client:DnsServers names '{text}'; write ip or ip:port, such as 10.0.0.10 or [fd00::10]:5353.");
    }

    [Fact]
    public void More_servers_than_are_asked_and_a_hosts_file_that_is_not_there_are_refused_when_the_process_starts()
    {
        var e = Should.Throw<OptionsValidationException>(() => Bind(
            [("Mesh:Client:HostsFile", "/nowhere/hosts"), .. Enumerable.Range(0, 4).Select(i => ($"Mesh:Client:DnsServers:{i}", $"10.0.0.{i}"))]).Value);

        e.Failures.ShouldBe(
        [
            "Mesh:Client:DnsServers has 4 servers; at most 3 are asked.",
            "Mesh:Client:HostsFile names '/nowhere/hosts', which does not exist; name a file in the format of /etc/hosts, or leave the setting out.",
        ]);
    }

    private static IOptions<MeshOptions> Bind(params (string Key, string Value)[] settings)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Key, (string?)s.Value))).Build());
        services.AddMeshDataPlane(configure: null);
        return services.BuildServiceProvider().GetRequiredService<IOptions<MeshOptions>>();
    }
}
