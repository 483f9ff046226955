using System.Globalization;
using LoadGenerator.Connections;
using LoadGenerator.Reporting;
using Mesh;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace LoadGenerator;

/// <summary>The program: makes a load by its arguments and reports.</summary>
internal static class LoadCommand
{
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter errors)
    {
        LoadOptions options;
        try
        {
            options = LoadOptions.Parse(args);
        }
        catch (FormatException e)
        {
            await errors.WriteLineAsync(e.Message);
            await errors.WriteLineAsync(LoadOptions.Usage);
            return 1;
        }

        using var host = options.Xds is null ? null : Join(options, options.Xds);
        if (host is not null)
        {
            await host.StartAsync();
        }

        var client = host?.Services.GetRequiredService<IHttpClientFactory>().CreateClient("load");
        if (options.Curl)
        {
            return await CurlAsync(options, client, output, errors);
        }

        // Standard output is the result's alone where that is JSON.
        var says = options.Json == "-" ? errors : output;
        if (options.LogLevel == LoadLogLevel.Info)
        {
            TextReport.WriteStart(says, options);
        }

        var result = await LoadRun.RunAsync(
            options,
            () => client is null ? new SocketConnection(options, TimeProvider.System) : new HttpClientConnection(options, client),
            TimeProvider.System,
            options.LogLevel == LoadLogLevel.Error ? null : warning => Warn(errors, warning));
        if (options.Json is { } file)
        {
            var json = JsonReport.Write(result);
            if (file == "-")
            {
                await output.WriteLineAsync(System.Text.Encoding.UTF8.GetString(json));
                return 0;
            }

            await File.WriteAllBytesAsync(file, json);
        }

        TextReport.Write(output, result);
        return 0;
    }

    private static void Warn(TextWriter errors, string warning)
    {
        var now = TimeProvider.System.GetLocalNow().ToString("HH:mm:ss", CultureInfo.InvariantCulture);
        lock (errors)
        {
            errors.WriteLine($"{now} W load> {warning}");
        }
    }

    private static IHost Join(LoadOptions options, string xds)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddMeshClient(mesh =>
        {
            mesh.Workload = new MeshWorkload(options.App);
            mesh.Xds.Server = xds;
        });
        return builder.Build();
    }

    private static async Task<int> CurlAsync(LoadOptions options, HttpClient? client, TextWriter output, TextWriter errors)
    {
        using var own = client is null ? new HttpClient() : null;
        client ??= own!;
        using var request = new HttpRequestMessage(HttpMethod.Get, options.Url);
        foreach (var (name, value) in options.Headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        try
        {
            using var response = await client.SendAsync(request);
            await output.WriteAsync($"HTTP/{response.Version} {(int)response.StatusCode} {response.ReasonPhrase}\n{response.Headers}{response.Content.Headers}\n{await response.Content.ReadAsStringAsync()}\n");
            return response.IsSuccessStatusCode ? 0 : 1;
        }
        catch (HttpRequestException e)
        {
            await errors.WriteLineAsync(e.Message);
            return 1;
        }
    }
}
