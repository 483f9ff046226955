using Mesh.DataPlane.Configuration;

namespace Mesh.Server.Tests.Admin;

/// <summary>What is wrong with the settings is told at start.</summary>
public sealed class AdminSettingsTests
{
    [Fact]
    public void The_defaults_open_nothing()
    {
        var admin = new MeshOptions().Admin;

        (admin.Port, admin.Address, admin.AllowRemote, admin.RecordedDecisions).ShouldBe((null, "127.0.0.1", false, 0));
        new MeshOptionsValidator().Validate(null, new MeshOptions()).Succeeded.ShouldBeTrue();
    }

    [Theory]
    [InlineData(70000, "127.0.0.1", "a.example.com", 0, "Mesh:Admin:Port is 70000")]
    [InlineData(15000, "localhost", "a.example.com", 0, "Mesh:Admin:Address is 'localhost'")]
    [InlineData(15000, "", "a.example.com", 0, "Mesh:Admin:Address is ''")]
    [InlineData(15000, "*", "http://a.example.com", 0, "Mesh:Admin:AllowedHosts names 'http://a.example.com'")]
    [InlineData(15000, "*", "a.example.com", -1, "Mesh:Admin:RecordedDecisions is -1")]
    [InlineData(15000, "*", "a.example.com", 10_001, "Mesh:Admin:RecordedDecisions is 10001")]
    public void What_cannot_be_is_named_with_the_way_out(int port, string address, string host, int decisions, string message)
    {
        var options = new MeshOptions { Admin = { Port = port, Address = address, RecordedDecisions = decisions } };
        options.Admin.AllowedHosts.Add(host);

        new MeshOptionsValidator().Validate(null, options).FailureMessage!.ShouldContain(message);
    }

    [Fact]
    public void Probes_and_the_admin_each_need_a_port()
        => new MeshOptionsValidator().Validate(null, new MeshOptions { Admin = { Port = 15021 }, Health = { Port = 15021 } }).FailureMessage!.ShouldContain("which is Mesh:Health:Port");
}
