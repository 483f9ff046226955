using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Mesh.Client.Tests.Tls;
using Mesh.TestNet;

namespace Mesh.Peers.Tests.MutualTls;

/// <summary>A server that nobody here wrote, with a workload's certificate: it asks for one of its caller's, and says whom it has seen.</summary>
internal sealed class ForeignServer : IAsyncDisposable
{
    private readonly DirectoryInfo _folder;
    private readonly Process _process;

    private ForeignServer(DirectoryInfo folder, Process process, int port) => (_folder, _process, Port) = (folder, process, port);

    public int Port { get; }

    /// <summary>OpenSSL's own, which answers requests with a page about the connection.</summary>
    public static Task<ForeignServer> StartOpenSslAsync(TestCertificateAuthority root, params string[] arguments)
        => StartAsync(root, (_, port) => new ProcessStartInfo("openssl",
        [
            "s_server", "-accept", $"127.0.0.1:{port}", "-cert", "server.pem", "-key", "server.key", "-CAfile", "root.pem",
            "-Verify", "2", "-verify_return_error", "-www", .. arguments,
        ]));

    /// <summary>nginx, which answers with the certificate's serial number.</summary>
    public static Task<ForeignServer> StartNginxAsync(TestCertificateAuthority root)
        => StartAsync(root, (folder, port) =>
        {
            File.WriteAllText(Path.Combine(folder, "nginx.conf"), $$"""
                daemon off; master_process off; pid nginx.pid; error_log stderr;
                events {}
                http {
                  access_log off; client_body_temp_path .; proxy_temp_path .; fastcgi_temp_path .; uwsgi_temp_path .; scgi_temp_path .;
                  server {
                    listen 127.0.0.1:{{port}} ssl;
                    ssl_certificate server.pem; ssl_certificate_key server.key;
                    ssl_client_certificate root.pem; ssl_verify_client on; ssl_protocols TLSv1.2 TLSv1.3;
                    location / { return 200 "$ssl_client_verify $ssl_client_serial $ssl_server_name $ssl_protocol"; }
                  }
                }
                """);
            return new ProcessStartInfo("nginx", ["-p", folder, "-c", "nginx.conf", "-e", "stderr"]);
        });

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        _process.Dispose();
        _folder.Delete(recursive: true);
    }

    private static async Task<ForeignServer> StartAsync(TestCertificateAuthority root, Func<string, int, ProcessStartInfo> command)
    {
        var folder = Directory.CreateTempSubdirectory("mesh-peers");
        using var certificate = root.IssueWorkload("reviews");
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "server.pem"), certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "server.key"), certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "root.pem"), root.Pem);
        var port = FreePort.Next();
        var start = command(folder.FullName, port);
        start.WorkingDirectory = folder.FullName;
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var server = new ForeignServer(folder, process, port);
        await server.ListensAsync();
        return server;
    }

    // It says of itself nothing that could be awaited: only a connection shows that it is there.
    private async Task ListensAsync()
    {
        for (var attempt = 0; attempt < 300 && !_process.HasExited; attempt++)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, Port);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50));
            }
        }

        throw new InvalidOperationException("The server has not come up.");
    }
}
