using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Bookinfo.Launcher;

namespace Bookinfo.Tests;

public class LauncherTests
{
    [Fact]
    public void A_free_port_is_no_problem()
    {
        // Somebody else may take one that was free a moment ago, but hardly all of them.
        Enumerable.Range(0, 10).Select(_ => Freed()).ShouldContain(port => PortCheck.Problem(port, "productpage", "--port", 9081) == null);
        PortCheck.Problem(0, "productpage", "--port", 9081).ShouldBeNull();

        static int Freed()
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            return ((IPEndPoint)listener.LocalEndpoint).Port;
        }
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("::1")]
    public void A_taken_port_is_one_line_with_the_way_out(string address)
    {
        using var listener = new TcpListener(IPAddress.Parse(address), 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;

        PortCheck.Problem(port, "productpage", "--port", 9081).ShouldBe(
            $"Port {port} is already in use, and productpage wants it. Stop what listens there, or choose another: --port 9081");
    }

    [Theory]
    [InlineData("--port", "productpage")]
    [InlineData("--control-plane-port", "the control plane")]
    [InlineData("--admin-port", "the admin of a service")]
    public async Task A_taken_port_ends_the_launcher_before_it_starts_anything(string option, string service)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;

        await using var launcher = BookinfoProcess.Start(["--port", "0", "--control-plane-port", "0", "--admin-port", "0", option, port.ToString(CultureInfo.InvariantCulture)]);

        (await launcher.ExitedAsync()).ShouldBe(1);
        var line = launcher.Lines.ShouldHaveSingleItem();
        line.ShouldContain($"Port {port} is already in use, and {service} wants it.");
        line.ShouldContain(option + " ");
    }

    [Theory]
    [InlineData("--port needs a value; --help shows the options.", "--port")]
    [InlineData("--port is 'many'; give a port from 1 to 65535, or 0 for any free one.", "--port", "many")]
    [InlineData("--port is '65536'; give a port from 1 to 65535, or 0 for any free one.", "--port", "65536")]
    [InlineData("'--fast' is no option; --help shows them.", "--fast")]
    public void A_wrong_option_is_told_in_one_line(string message, params string[] args)
        => Should.Throw<ArgumentException>(() => LauncherOptions.Parse(args)).Message.ShouldBe(message);

    [Fact]
    public void The_folder_is_the_one_in_the_source_tree()
    {
        var folder = MeshFolder.Find(null, [AppContext.BaseDirectory]);

        folder.ShouldEndWith(Path.Combine("samples", "Bookinfo", "mesh"));
        File.Exists(Path.Combine(folder, "..", "Bookinfo.csproj")).ShouldBeTrue("a copy in bin would not be the one that people edit");
        MeshFolder.Find(folder, []).ShouldBe(folder);
    }

    [Fact]
    public void A_folder_that_does_not_exist_is_told_with_its_full_path()
        => Should.Throw<ArgumentException>(() => MeshFolder.Find("no/such/folder", []))
            .Message.ShouldBe($"The folder {Path.GetFullPath("no/such/folder")} does not exist; --mesh takes a folder of YAML files.");
}
