/** Texts to ask, with questions that have an answer in them and one that has none. All names are made up. */

export interface Sample {
  readonly text: string;
  readonly questions: readonly string[];
}

export const SAMPLES: Readonly<Record<'en' | 'ko', Sample>> = {
  en: {
    text: `The lighthouse on Harrow Point was built because of a single night. In November 1838 three ships missed the entrance to the bay and broke apart on the reef called the Comb. The harbour town of Linden lost forty-one people, and the fishermen's guild refused to sail until somebody promised them a light.

The task went to Agnes Muir, an engineer who had until then built nothing but mills. She chose grey granite from the island of Sorrel, since no other stone within reach would bear the salt, and had every block cut on the island and numbered before it was shipped. The work took six years. Twice the half-finished tower was taken down by winter storms, and twice she began again on a wider base. When the lamp was finally lit on 3 March 1845, it could be seen from twenty-two miles away.

The lens came from a glassmaker in Turin and weighed more than two tons. No crane could lift it, so the people of Linden carried it up the stairs in ninety-four pieces and put it together at the top. It floated on a bath of mercury, and a child could turn it with one finger.

Keepers lived in the tower until 1971. The last of them, Tomas Rook, kept a diary in which he noted the weather, the ships that passed, and every bird that flew against the glass. Biologists now use his forty years of notes to study how migration has changed. His daughter Ines learned to read from these diaries and later became a meteorologist.

In fog the lamp was of little use, so in 1902 a horn was added, driven by a steam engine that two mules supplied with water. It gave one long tone every ninety seconds. Cows in the valley learned to come home at the sound, and the town kept it until 1983, long after every ship had radar.

Today the light is electric and runs by itself. The old lens is shown in the town museum, where visitors may still turn it. The tower itself opens on Sundays in summer, and whoever climbs its 217 steps receives a small numbered stone from Sorrel.`,
    questions: [
      'When was the lamp first lit?',
      'Who built the lighthouse?',
      'How did the lens get to the top?',
      'What did the last keeper write in his diary?',
      'How much does a ticket cost?',
    ],
  },
  ko: {
    text: `해원곶 등대는 단 하룻밤 때문에 세워졌다. 1838년 11월, 배 세 척이 만의 입구를 지나치고 ‘빗살’이라 불리는 암초에 부딪혀 부서졌다. 항구 마을 단정리는 마흔한 명을 잃었고, 어부 조합은 누군가 불빛을 약속할 때까지 바다에 나가지 않겠다고 했다.

일을 맡은 사람은 그때까지 물레방아만 지어 온 기술자 윤서린이었다. 그는 소금기를 견딜 돌이 가까이에 달리 없어서 백암도의 회색 화강암을 골랐고, 돌 하나하나를 섬에서 깎아 번호를 매긴 뒤 배로 실어 오게 했다. 공사는 6년이 걸렸다. 반쯤 쌓은 탑이 겨울 폭풍에 두 번이나 무너졌고, 그는 두 번 다 더 넓은 바닥에서 다시 시작했다. 1845년 3월 3일 마침내 등이 켜졌을 때 그 불빛은 35킬로미터 밖에서도 보였다.

렌즈는 먼 나라의 유리 장인이 만들었고 무게가 2톤이 넘었다. 들어 올릴 기중기가 없어서 마을 사람들이 아흔네 조각으로 나누어 계단으로 날랐고 꼭대기에서 다시 맞추었다. 렌즈는 수은 위에 떠 있어서 아이도 손가락 하나로 돌릴 수 있었다.

등대지기는 1971년까지 탑에서 살았다. 마지막 등대지기 노태섭은 날씨와 지나간 배, 그리고 유리에 부딪힌 새를 빠짐없이 일기에 적었다. 오늘날 생물학자들은 그가 40년 동안 적은 기록으로 철새의 이동이 어떻게 달라졌는지 연구한다. 그의 딸 노인해는 이 일기로 글을 배웠고 나중에 기상학자가 되었다.

안개가 끼면 등이 소용없어서 1902년에는 증기 기관으로 울리는 나팔을 더했다. 기관에 쓸 물은 노새 두 마리가 날랐다. 나팔은 90초마다 길게 한 번 울렸고, 골짜기의 소들은 그 소리를 듣고 집으로 돌아왔다. 마을은 모든 배가 레이더를 갖춘 뒤에도 1983년까지 나팔을 남겨 두었다.

지금은 전등이 저절로 켜지고 꺼진다. 옛 렌즈는 마을 박물관에 있으며 찾아온 사람은 지금도 손으로 돌려 볼 수 있다. 탑은 여름철 일요일에 문을 열고, 217개의 계단을 다 오른 사람은 번호가 새겨진 백암도의 작은 돌을 받는다.`,
    questions: [
      '등은 언제 처음 켜졌는가?',
      '등대를 지은 사람은 누구인가?',
      '마지막 등대지기의 딸은 무엇이 되었는가?',
      '탑의 계단은 몇 개인가?',
      '입장료는 얼마인가?',
    ],
  },
};
