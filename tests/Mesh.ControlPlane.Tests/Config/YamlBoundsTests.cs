using System.Text;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Config.Yaml;

namespace Mesh.ControlPlane.Tests.Reading;

public class YamlBoundsTests
{
    [Fact]
    public void Deep_nesting_in_brackets_is_refused()
        => Broken(new string('[', 100_000)).ShouldBe("1:64 lists and mappings nest deeper than the 64 levels allowed");

    [Fact]
    public void Deep_nesting_by_indentation_is_refused()
        => Broken(string.Concat(Enumerable.Range(0, 2_000).Select(i => $"{new string(' ', i)}a:\n"))).ShouldBe("64:64 lists and mappings nest deeper than the 64 levels allowed");

    [Fact]
    public void Deep_nesting_by_aliases_is_refused()
    {
        var yaml = new StringBuilder("a0: &a0 [[[[[[[[x]]]]]]]]\n");
        for (var i = 1; i < 100; i++)
        {
            yaml.Append(null, $"a{i}: &a{i} [*a{i - 1}]\n");
        }

        Broken(yaml.ToString()).ShouldEndWith("with its aliases written out, this nests deeper than the 64 levels allowed");
    }

    [Fact]
    public void An_alias_bomb_is_refused_before_it_is_written_out()
    {
        var yaml = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for (var i = 1; i < 30; i++)
        {
            yaml.Append(null, $"a{i}: &a{i} [*a{i - 1}, *a{i - 1}, *a{i - 1}, *a{i - 1}, *a{i - 1}, *a{i - 1}, *a{i - 1}, *a{i - 1}, *a{i - 1}]\n");
        }

        Broken(yaml.ToString()).ShouldEndWith("with its aliases written out, the document has more than the 500,000 nodes allowed");
    }

    [Fact]
    public void A_bomb_of_merge_keys_is_refused()
    {
        var yaml = new StringBuilder("l0: &l0 {" + string.Join(", ", Enumerable.Range(0, 2000).Select(i => $"k{i}: x")) + "}\n");
        for (var i = 1; i < 1000; i++)
        {
            yaml.Append(null, $"l{i}: {{<<: *l0}}\n");
        }

        Broken(yaml.ToString()).ShouldContain("nodes allowed");
    }

    [Fact]
    public void A_list_of_a_hundred_thousand_items_is_refused()
        => Broken("a:\n" + string.Concat(Enumerable.Repeat("- x\n", 100_000))).ShouldBe("50002:3 a list or mapping has more than the 50,000 items allowed");

    [Fact]
    public void Too_many_documents_are_refused()
        => Broken(string.Concat(Enumerable.Repeat("---\na: b\n", 10_001))).ShouldEndWith("the text has more than the 10,000 documents allowed: split the file");

    [Fact]
    public void Too_many_characters_are_refused()
        => Broken(new string('#', YamlLimits.Default.MaxCharacters + 1)).ShouldStartWith("1:1 the text has 8,388,609 characters");

    [Fact]
    public void Too_many_nodes_are_refused()
        => Yamls.Read("[a, b, c, d, e]", limits: new YamlLimits { MaxNodes = 3 }).Broken!.Message.ShouldBe("the text has more than the 3 nodes allowed: split the file");

    [Fact]
    public void Errors_are_bounded()
        => Yamls.Read(Yamls.Head + string.Concat(Enumerable.Range(0, 10_000).Select(i => $"  x{i}: 1\n"))).Diagnostics.Count().ShouldBe(YamlLimits.Default.MaxErrors);

    [Theory]
    [InlineData("a: *b", "1:4 *b names no anchor: write &b at the node that it repeats, before this line")]
    [InlineData("a: &b [*b]", "1:8 *b is inside the node that it repeats")]
    [InlineData("a: &b {<<: *b}", "1:12 *b is inside the node that it repeats")]
    public void An_alias_that_leads_nowhere_is_refused(string yaml, string expected) => Broken(yaml).ShouldBe(expected);

    [Fact]
    public void A_tab_is_named_as_the_culprit()
    {
        var broken = Broken("a:\n\tb: c\n");

        broken.ShouldStartWith("2:1 ");
        broken.ShouldEndWith("The line is indented by a tab; YAML wants spaces.");
    }

    [Theory]
    [InlineData("a: b\n a: c")]
    [InlineData("a: [b")]
    [InlineData("a: \"b")]
    [InlineData("{a: b}}")]
    [InlineData("%YAML 9.9\n---\na: b")]
    [InlineData("a: b\0")]
    [InlineData("a: !<")]
    public void What_is_not_yaml_is_told_with_its_place(string yaml) => Broken(yaml).ShouldContain("this is not YAML");

    [Theory]
    [InlineData("[a]: b", "1:1  the key of a mapping must be a string, not a list.")]
    [InlineData("<<: 1", "1:1  << merges mappings: its value must be a mapping, an alias of one, or a list of these.")]
    [InlineData("a: !ruby/object x", "1:4  the tag !ruby/object cannot be used here: leave it out.")]
    [InlineData("a: !!int x", "1:4  the tag tag:yaml.org,2002:int cannot be used here: leave it out.")]
    public void What_no_document_may_hold_is_told_beside_other_errors(string yaml, string expected)
    {
        var lines = Yamls.Lines(Yamls.Read(yaml));

        lines[0].ShouldBe(expected);
        lines.ShouldContain("1:1  kind is missing.");
    }

    [Fact]
    public void Documents_before_a_syntax_error_are_read_and_the_error_is_told()
    {
        var text = Yamls.Read(Yamls.Service("a") + "---\n]");

        text.Resources.Single().Name.ShouldBe("a");
        text.Broken!.Line.ShouldBe(7);
    }

    [Fact]
    public void Torn_and_mutated_texts_never_throw()
    {
        var yaml = Yamls.Route("match:\n- headers: {x.y: {exact: \"z\"}}\n  <<: {port: 0x50}\ntimeout: &t 3s\nretries: {perTryTimeout: *t, attempts: 3}") + "---\n" + Yamls.Service("a") + "---\n" + Yamls.Subset("b");
        var random = new Random(20261121);
        const string junk = "\0\t\n:-[]{}&*!|>'\"%@`,?#~\u2028\uD800x0";
        for (var i = 0; i < 3_000; i++)
        {
            var chars = yaml.ToCharArray().ToList();
            for (var edits = random.Next(1, 6); edits > 0 && chars.Count > 0; edits--)
            {
                var at = random.Next(chars.Count);
                switch (random.Next(4))
                {
                    case 0:
                        chars[at] = junk[random.Next(junk.Length)];
                        break;
                    case 1:
                        chars.Insert(at, junk[random.Next(junk.Length)]);
                        break;
                    case 2:
                        chars.RemoveAt(at);
                        break;
                    default:
                        chars.RemoveRange(at, chars.Count - at);
                        chars.Add('\n');
                        break;
                }
            }

            var text = Yamls.Read(new string([.. chars]));
            text.Diagnostics.ShouldAllBe(d => d.Line >= 1 && d.Column >= 1);
            foreach (var resource in text.Resources)
            {
                resource.Source.Locate("spec.http[0].match[0].headers").Line.ShouldBeGreaterThanOrEqualTo(resource.Source.Line);
            }
        }
    }

    [Theory]
    [InlineData("a")]
    [InlineData("- ")]
    [InlineData("? ")]
    [InlineData(": ")]
    [InlineData("&a ")]
    [InlineData("!a ")]
    [InlineData("*a ")]
    [InlineData("a: ")]
    [InlineData("\"")]
    [InlineData("'a")]
    [InlineData("|\n")]
    [InlineData("%a\n")]
    [InlineData("#\n")]
    [InlineData(" \n")]
    [InlineData("{a: b, ")]
    [InlineData("[a, ")]
    [InlineData("a\n")]
    [InlineData("a: b\n")]
    [InlineData("---\n")]
    [InlineData("...\n")]
    [InlineData(",")]
    [InlineData("\r")]
    public async Task A_hostile_megabyte_comes_to_an_end(string part)
    {
        var yaml = string.Concat(Enumerable.Repeat(part, 1024 * 1024 / part.Length));

        await Task.Run(() => Yamls.Read(yaml)).WaitAsync(TimeSpan.FromSeconds(30));
    }

    private static string Broken(string yaml)
    {
        var broken = Yamls.Read(yaml).Broken.ShouldNotBeNull();
        broken.Severity.ShouldBe(ConfigSeverity.Error);
        broken.Code.ShouldBe(ConfigCodes.Syntax);
        return $"{broken.Line}:{broken.Column} {broken.Message}";
    }
}
