using System.Text.RegularExpressions;
using Mesh.DataPlane.Upstream;

namespace Mesh.DataPlane.Tests.Upstream;

/// <summary>The page that people read says what the code does.</summary>
public sealed partial class FailuresPageTests
{
    [Fact]
    public void Every_table_of_the_page_is_the_codes()
    {
        var page = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "failures.md"));
        var told = Tables().Matches(page).Select(m => m.Groups["name"].Value);

        told.Order().ShouldBe(FailuresPage.Tables.Keys.Order());
        var expected = Tables().Replace(page, m => $"<!-- table: {m.Groups["name"].Value} -->\n{FailuresPage.Tables[m.Groups["name"].Value]}");
        if (page != expected)
        {
            var file = Path.Combine(Path.GetTempPath(), "failures.md");
            File.WriteAllText(file, expected);
            Assert.Fail($"docs/failures.md says something else than the code, which says what is in {file}:\n"
                + string.Join('\n', expected.Split('\n').Except(page.Split('\n'))));
        }
    }

    [Fact]
    public void Every_reply_of_the_code_is_in_the_table()
    {
        // Whoever adds a cause to LocalReply, FilterReplies or InboundReplies adds its row.
        var told = LocalReplyTable.All.Concat(LocalReplyTable.Inbound).Select(r => r.Reply.Details.Split('{', '[')[0] + "|" + r.Reply.Flags.Split(',')[0]).ToHashSet();
        var made = new[] { typeof(LocalReply), typeof(DataPlane.Filters.FilterReplies), typeof(DataPlane.Inbound.Http.InboundReplies) }
            .SelectMany(t => t.GetProperties(System.Reflection.BindingFlags.Static | System.Reflection.BindingFlags.Public).Select(p => (p.Name, Value: p.GetValue(null) as LocalReply))
                .Concat(t.GetMethods(System.Reflection.BindingFlags.Static | System.Reflection.BindingFlags.Public)
                    .Where(m => m.ReturnType == typeof(LocalReply) && !m.IsSpecialName)
                    .Select(m => (m.Name, Value: m.Invoke(null, [.. m.GetParameters().Select(p => Sample(p.ParameterType))]) as LocalReply))))
            .Where(r => r.Value is not null)
            .ToList();

        made.Count.ShouldBeGreaterThan(30);
        made.Where(r => !told.Contains(r.Value!.Details.Split('{', '[')[0] + "|" + r.Value.Flags)).Select(r => r.Name).ShouldBeEmpty();
    }

    [Fact]
    public void No_detail_has_white_space_which_would_split_a_log_line()
        => LocalReplyTable.All.Concat(LocalReplyTable.Inbound).Where(r => r.Reply.Details.Any(char.IsWhiteSpace)).ShouldBeEmpty();

    private static object? Sample(Type type)
        => type == typeof(string) ? "x"
            : type == typeof(Type) ? typeof(Exception)
            : type == typeof(int?) ? 500
            : type.IsArray ? Array.CreateInstance(type.GetElementType()!, 0)
            : type == typeof(int) ? 500
            : type == typeof(System.Net.HttpStatusCode) ? System.Net.HttpStatusCode.ServiceUnavailable
            : Activator.CreateInstance(type);

    [GeneratedRegex(@"<!-- table: (?<name>\w+) -->\n(?<rows>(\|[^\n]*\n)*)")]
    private static partial Regex Tables();
}
