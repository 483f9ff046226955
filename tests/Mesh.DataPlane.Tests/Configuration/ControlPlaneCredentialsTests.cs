using Mesh.DataPlane.Configuration;
using Mesh.Xds.Bootstrap;
using Mesh.Xds.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.DataPlane.Tests.Configuration;

/// <summary>What is shown to the control plane.</summary>
public sealed class ControlPlaneCredentialsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mesh-credentials-").FullName;
    private readonly ServiceProvider _nobody = new ServiceCollection().BuildServiceProvider();
    private readonly MeshOptions _options = new();

    public void Dispose()
    {
        _nobody.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private string Write(string text)
    {
        var path = Path.Combine(_folder, "token");
        File.WriteAllText(path, text);
        return path;
    }

    [Fact]
    public void The_token_is_read_anew_each_time()
    {
        var credentials = new ControlPlaneCredentials(_nobody, _options);
        _options.Xds.TokenFile = Write("first\n");
        credentials.Token().ShouldBe("first");
        Write("second");
        credentials.Token().ShouldBe("second");
    }

    [Fact]
    public void The_file_of_the_certificates_token_serves_here_too_if_there_is_one()
    {
        var credentials = new ControlPlaneCredentials(_nobody, _options);
        _options.Identity.CertificateAuthority.TokenFile = Path.Combine(_folder, "nowhere");
        credentials.Token().ShouldBeNull();
        _options.Identity.CertificateAuthority.TokenFile = Write("account");
        credentials.Token().ShouldBe("account");
    }

    [Theory]
    [InlineData("http://control:15010", false)]
    [InlineData("control:15010", false)]
    [InlineData("http://127.0.0.1:15010", true)]
    [InlineData("http://localhost:15010", true)]
    [InlineData("unix:///run/xds", true)]
    [InlineData("https://control:15012", true)]
    public void A_token_that_nobody_named_for_the_server_is_kept_from_clear_text(string server, bool isGiven)
    {
        var credentials = new ControlPlaneCredentials(_nobody, _options);
        var config = new XdsServerConfig(server, null, XdsServerFeatures.None);
        (credentials.TokenFor(config) is not null).ShouldBe(isGiven);

        // Named for it, it is the channel that refuses, and says so.
        _options.Xds.TokenFile = Write("token");
        credentials.TokenFor(config).ShouldNotBeNull();
    }

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("line\nline")]
    public void A_file_without_a_token_is_told_and_never_quoted(string text)
    {
        _options.Xds.TokenFile = Write(text);
        var error = Should.Throw<InvalidOperationException>(() => new ControlPlaneCredentials(_nobody, _options).Token());
        error.Message.ShouldContain(_options.Xds.TokenFile);
        error.Message.ShouldNotContain("two words");
    }

    [Fact]
    public void A_file_that_is_named_and_not_there_is_told()
    {
        _options.Xds.TokenFile = Path.Combine(_folder, "nowhere");
        Should.Throw<InvalidOperationException>(() => new ControlPlaneCredentials(_nobody, _options).Token()).Message.ShouldContain("nowhere");
    }

    [Fact]
    public void Without_an_identity_there_is_no_certificate_and_nothing_learned()
    {
        var credentials = new ControlPlaneCredentials(_nobody, _options);
        credentials.Certificate().ShouldBeNull();
        credentials.Roots().ShouldBeNull();
    }
}
